import { z } from 'zod';
import type { Credentials } from '../../../cli/server/access.ts';
import type { Delivery, SessionScript } from './deliveries.ts';

const REQUEST_TIMEOUT_MS = 20_000;
const LONGEST_RETRY_MS = 500;
/** A client that gets no answer for this long gives up: the instance is lost. */
const GIVE_UP_MS = 180_000;

const hookAnswer = z.looseObject({});
const eventsAnswer = z.object({
  items: z.tuple([z.object({ status: z.enum(['accepted', 'duplicate']), id: z.string() })]),
});

/** Why a request had no answer: the client's own words say only that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** What a client was told, delivery by delivery. */
export interface ServedMemories {
  readonly delivery: Delivery;
  /** Id of its first row, where the answer names it. */
  readonly rowId: string | null;
}

/** What happened to a client on the way. */
export interface Trouble {
  /** Requests without an answer: refused, reset, or not in time. */
  unanswered: number;
  /** Answers that asked to come again. */
  unavailable: number;
  /** Accepted before, though the answer was lost: told as a duplicate when sent again. */
  answeredBefore: number;
}

/** Sends one delivery until it is answered with yes. @throws Error on any answer that is neither yes nor "come again". */
export async function deliver(
  { url, apiKey }: Credentials,
  delivery: Delivery,
  trouble: Trouble,
  random: () => number,
): Promise<ServedMemories> {
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    let status = 0;
    let text = 'no answer';
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
      // An answer that breaks off in the middle is none.
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
    else if (status !== 0) throw new Error(`${delivery.deliveryId} was answered ${status}: ${text}`);
    if (performance.now() > deadline)
      throw new Error(`${delivery.deliveryId} was never accepted; last: ${status} ${text}`);
    await new Promise((resolve) => setTimeout(resolve, LONGEST_RETRY_MS * random()));
  }
}

/** One client: sends its sessions in order, a share at a time, and notes what it was told. */
export class ReplayClient {
  readonly trouble: Trouble = { unanswered: 0, unavailable: 0, answeredBefore: 0 };
  readonly told = new Map<string, ServedMemories[]>();
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

  /** How many deliveries the n-th of `shares` equal shares holds. */
  sizeOf(n: number, shares: number): number {
    return Math.floor((this.#count * (n + 1)) / shares) - Math.floor((this.#count * n) / shares);
  }

  /** Sends the next deliveries, resting up to `longestRestMs` before each; `onTold` after every yes. */
  async send(credentials: Credentials, deliveries: number, longestRestMs: number, onTold: () => void): Promise<void> {
    for (const { externalId, delivery } of this.#waiting.splice(0, deliveries)) {
      await new Promise((resolve) => setTimeout(resolve, longestRestMs * this.#random()));
      const told = await deliver(credentials, delivery, this.trouble, this.#random);
      this.told.set(externalId, [...(this.told.get(externalId) ?? []), told]);
      onTold();
    }
  }
}
