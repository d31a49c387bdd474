import type { BatchRequest, MessagesRequest } from './protocol.ts';
import { checkMessage } from './protocol.ts';
import type { Reply, WrittenMessage } from './replies.ts';

const LIFETIME_MS = 24 * 60 * 60_000;

/** Outcome of the next batch. */
export interface BatchPlan {
  /** Number of polls that find it in progress before it ends. Default 0. */
  readonly looks?: number;
  /** Polls find it in progress until this resolves. */
  readonly ends?: Promise<unknown>;
  /** Outcome of a part; undefined: like a direct call. */
  readonly part?: (customId: string, index: number) => 'canceled' | 'expired' | Reply | undefined;
  /** The first reading of the results breaks off in the middle of the line after so many. */
  readonly breakOffAfter?: number;
  /** The batch is created, but the connection closes before the response. */
  readonly loseAnswer?: boolean;
}

type Result =
  | { readonly type: 'succeeded'; readonly message: WrittenMessage }
  | { readonly type: 'errored'; readonly error: unknown }
  | { readonly type: 'canceled' }
  | { readonly type: 'expired' };

interface Batch {
  readonly id: string;
  readonly createdAtMs: number;
  readonly parts: BatchRequest['requests'];
  readonly plan: BatchPlan;
  looksLeft: number;
  cancelledAtMs: number | null;
  endedAtMs: number | null;
  results: readonly { readonly custom_id: string; readonly result: Result }[] | null;
  brokeOff: boolean;
}

export interface BatchTools {
  readonly now: () => number;
  readonly url: () => string;
  /** Completes and bills one part; a reply that is no message fails it. */
  readonly answer: (request: MessagesRequest, customId: string, reply: Reply | undefined) => WrittenMessage | Reply;
}

/** The provider's batches: created, polled until they end, read, cancelled. */
export class BatchShelf {
  readonly #tools: BatchTools;
  readonly #batches: Batch[] = [];

  constructor(tools: BatchTools) {
    this.#tools = tools;
  }

  make(request: BatchRequest, plan: BatchPlan): Batch {
    const batch: Batch = {
      id: `msgbatch_${String(this.#batches.length + 1).padStart(4, '0')}`,
      createdAtMs: this.#tools.now(),
      parts: request.requests,
      plan,
      looksLeft: plan.looks ?? 0,
      cancelledAtMs: null,
      endedAtMs: null,
      results: null,
      brokeOff: false,
    };
    this.#batches.push(batch);
    if (plan.ends !== undefined) {
      batch.looksLeft = Number.POSITIVE_INFINITY;
      void plan.ends.then(() => {
        batch.looksLeft = 0;
      });
    }
    return batch;
  }

  find(id: string): Batch | undefined {
    return this.#batches.find((batch) => batch.id === id);
  }

  /** Newest first, as the provider lists them. */
  list(limit: number, afterId: string | null): readonly Batch[] {
    const newest = this.#batches.toReversed();
    const from = afterId === null ? 0 : newest.findIndex(({ id }) => id === afterId) + 1;
    return newest.slice(from, from + limit);
  }

  /** Advances a batch: it ends after its time or its number of polls. */
  look(batch: Batch): void {
    if (batch.results !== null) return;
    if (this.#tools.now() >= batch.createdAtMs + LIFETIME_MS) this.#end(batch, 'expired');
    else if (batch.cancelledAtMs !== null) this.#end(batch, 'canceled');
    else if (batch.looksLeft > 0) batch.looksLeft -= 1;
    else this.#end(batch, null);
  }

  cancel(batch: Batch): void {
    if (batch.results === null) batch.cancelledAtMs ??= this.#tools.now();
  }

  #end(batch: Batch, all: 'canceled' | 'expired' | null): void {
    batch.endedAtMs = this.#tools.now();
    // In another order than the calls, because the provider promises none.
    batch.results = batch.parts
      .map(({ custom_id: customId, params }, index) => ({
        custom_id: customId,
        result: all === null ? this.#resultOf(params, customId, batch.plan.part?.(customId, index)) : { type: all },
      }))
      .reverse();
  }

  #resultOf(params: unknown, customId: string, planned: 'canceled' | 'expired' | Reply | undefined): Result {
    if (planned === 'canceled' || planned === 'expired') return { type: planned };
    const request = checkMessage(params);
    const reply = request.ok ? this.#tools.answer(request.body, customId, planned) : request.refusal;
    if ('content' in reply) return { type: 'succeeded', message: reply };
    const type = reply.kind === 'error' ? reply.type : 'api_error';
    return { type: 'errored', error: { type: 'error', error: { type, message: type }, request_id: 'req_test' } };
  }

  view(batch: Batch): unknown {
    const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
    if (batch.results === null) counts.processing = batch.parts.length;
    else for (const { result } of batch.results) counts[result.type] += 1;
    const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
    return {
      id: batch.id,
      type: 'message_batch',
      processing_status: batch.results !== null ? 'ended' : batch.cancelledAtMs === null ? 'in_progress' : 'canceling',
      request_counts: counts,
      created_at: time(batch.createdAtMs),
      expires_at: time(batch.createdAtMs + LIFETIME_MS),
      ended_at: time(batch.endedAtMs),
      cancel_initiated_at: time(batch.cancelledAtMs),
      archived_at: null,
      results_url: batch.results === null ? null : `${this.#tools.url()}/v1/messages/batches/${batch.id}/results`,
    };
  }

  /** The results as sent; truncated inside a line once, if planned. */
  lines(batch: Batch): { readonly body: string; readonly breaksOff: boolean } {
    const lines = (batch.results ?? []).map((line) => `${JSON.stringify(line)}\n`);
    const { breakOffAfter } = batch.plan;
    if (breakOffAfter === undefined || batch.brokeOff) return { body: lines.join(''), breaksOff: false };
    batch.brokeOff = true;
    const half = lines[breakOffAfter] ?? '';
    return { body: [...lines.slice(0, breakOffAfter), half.slice(0, half.length / 2)].join(''), breaksOff: true };
  }
}
