import { z } from 'zod';
import type { Credentials } from '../../../cli/server/access.ts';
import type { Delivery, SessionScript } from './deliveries.ts';

const REQUEST_TIMEOUT_MS = 20_000;
const LONGEST_RETRY_MS = 500;
/** A client without a response for this long gives up: the instance is lost. */
const GIVE_UP_MS = 180_000;

const hookAnswer = z.looseObject({});
const eventsAnswer = z.object({
  items: z.tuple([z.object({ status: z.enum(['accepted', 'duplicate']), id: z.string() })]),
});

/** Returns why a request had no response: the message of `fetch` only states that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** A delivery that the server accepted. */
export interface AcceptedDelivery {
  readonly delivery: Delivery;
  /** Id of its first row if the response names it. */
  readonly rowId: string | null;
}

/** Faults that a client met. */
export interface Trouble {
  /** Requests without a response: refused, reset, or not in time. */
  unanswered: number;
  /** Responses with status 503. */
  unavailable: number;
  /** Duplicates: accepted before, with a lost response. */
  answeredBefore: number;
}

/** Sends one delivery until it is accepted. @throws Error for a status that is neither success nor 503 */
export async function deliver(
  { url, apiKey }: Credentials,
  delivery: Delivery,
  trouble: Trouble,
  random: () => number,
): Promise<AcceptedDelivery> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    let status = 0;
    let text = 'no response';
    try {
      const response = await fetch(`${url}/api/v1${delivery.path}`, {
        method: 'POST',
        body: JSON.stringify(delivery.body),
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'x-recollect-delivery': delivery.deliveryId,
        },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      // A truncated response counts as none.
      text = await response.text();
      status = response.status;
    } catch (error) {
      status = 0;
      text = reasonOf(error);
      trouble.unanswered += 1;
    }
    if (status === 200) {
      hookAnswer.parse(JSON.parse(text));
      return { delivery, rowId: null };
    }
    if (status === 202) {
      const [item] = eventsAnswer.parse(JSON.parse(text)).items;
      if (item.status === 'duplicate') trouble.answeredBefore += 1;
      return { delivery, rowId: item.id };
    }
    if (status === 503) trouble.unavailable += 1;
    else if (status !== 0) throw new Error(`${delivery.deliveryId} returned ${status}: ${text}`);
    if (performance.now() > deadline)
      throw new Error(`${delivery.deliveryId} was never accepted; last: ${status} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, LONGEST_RETRY_MS * random()));
  }
}

/** Sends sessions in order, a share at a time, and records the accepted deliveries. */
export class ReplayClient {
  readonly trouble: Trouble = { unanswered: 0, unavailable: 0, answeredBefore: 0 };
  readonly accepted = new Map<string, AcceptedDelivery[]>();
  readonly #waiting: { readonly externalId: string; readonly delivery: Delivery }[];
  readonly #count: number;
  readonly #random: () => number;

  constructor(scripts: readonly SessionScript[], random: () => number) {
    this.#waiting = scripts.flatMap(({ externalId, deliveries }) =>
      deliveries.map((delivery) => ({ externalId, delivery })),
    );
    this.#count = this.#waiting.length;
    this.#random = random;
  }

  /** Returns the number of deliveries in the n-th of `shares` equal shares. */
  sizeOf(n: number, shares: number): number {
    return Math.floor((this.#count * (n + 1)) / shares) - Math.floor((this.#count * n) / shares);
  }

  /** Sends the next deliveries, resting up to `longestRestMs` before each; calls `onAccepted` after each. */
  async send(
    credentials: Credentials,
    deliveries: number,
    longestRestMs: number,
    onAccepted: () => void,
  ): Promise<void> {
    for (const { externalId, delivery } of this.#waiting.splice(0, deliveries)) {
      await new Promise((resolve) => setTimeout(resolve, longestRestMs * this.#random()));
      const accepted = await deliver(credentials, delivery, this.trouble, this.#random);
      this.accepted.set(externalId, [...(this.accepted.get(externalId) ?? []), accepted]);
      onAccepted();
    }
  }
}
