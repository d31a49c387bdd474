import { z } from 'zod';
import { type BatchView, ModelError, type ModelBatches, type PreparedCall } from '../../domain/ports/model.ts';
import { batchResults } from './batch-results.ts';
import type { PricedModel } from '../requests/options.ts';
import type { MessageRequest } from '../requests/protocol.ts';
import { messageParams, once, type TransportOptions, understood } from './transport.ts';

export interface BatchPrices {
  readonly small: PricedModel;
  readonly large: PricedModel;
  readonly priceShare: number;
}

const CUSTOM_ID = /^[A-Za-z0-9_-]{1,64}$/u;
/** Batch ids become part of addresses. */
const BATCH_ID = /^[A-Za-z0-9_-]{1,128}$/u;
const MAX_LISTED = 100;

const instant = z.string().transform((text, context) => {
  const at = Date.parse(text);
  if (Number.isNaN(at)) context.addIssue({ code: 'custom', message: 'no time' });
  return at;
});
const batchShape = z.object({
  id: z.string().regex(BATCH_ID),
  processing_status: z.enum(['in_progress', 'canceling', 'ended']),
  created_at: instant,
  expires_at: instant,
  request_counts: z.object({
    processing: z.int().nonnegative(),
    succeeded: z.int().nonnegative(),
    errored: z.int().nonnegative(),
    canceled: z.int().nonnegative(),
    expired: z.int().nonnegative(),
  }),
});
const listShape = z.object({ data: z.array(batchShape) });

/** The provider's batches. `requests` has the request of each call that this port prepared. */
export function createBatches(
  transport: TransportOptions,
  prices: BatchPrices,
  requests: WeakMap<PreparedCall<unknown>, MessageRequest>,
): ModelBatches {
  const { client } = transport;
  return {
    async submit(calls, signal) {
      const ids = new Set(calls.map(({ customId }) => customId));
      if (calls.length === 0 || ids.size !== calls.length || [...ids].some((id) => !CUSTOM_ID.test(id)))
        throw new ModelError(
          'invalid_request',
          'A batch needs calls, each with an id of its own of 1 to 64 of A-Z a-z 0-9 _ -',
        );
      const parts = calls.map(({ customId, call }) => {
        const request = requests.get(call);
        if (request === undefined)
          throw new ModelError('invalid_request', 'A batch accepts only calls that this model prepared');
        return { custom_id: customId, params: { ...messageParams(request), max_tokens: call.maxTokensOut } };
      });
      const raw = await once(transport, signal, (options) =>
        client.messages.batches.create({ requests: parts }, options),
      );
      return viewOf(understood(batchShape.safeParse(raw), 'an answer that is no batch'));
    },
    async poll(batchId, signal) {
      const raw = await once(
        transport,
        signal,
        (options) => client.messages.batches.retrieve(checkedId(batchId), {}, options),
        'invalid_request',
      );
      return viewOf(understood(batchShape.safeParse(raw), 'an answer that is no batch'));
    },
    async since(createdAtMs, signal) {
      // Not by the client's list, which reads any response without entries as an empty list: a batch would be paid for twice.
      const raw = await once(transport, signal, (options) =>
        client.get('/v1/messages/batches', { query: { limit: MAX_LISTED }, ...options }),
      );
      return understood(listShape.safeParse(raw), 'an answer that is no list of batches')
        .data.map(viewOf)
        .filter((view) => view.createdAtMs >= createdAtMs);
    },
    results: (batchId, signal) => batchResults(transport, prices, checkedId(batchId), signal),
    async cancel(batchId, signal) {
      await once(
        transport,
        signal,
        (options) => client.messages.batches.cancel(checkedId(batchId), {}, options),
        'invalid_request',
      );
    },
  };
}

function checkedId(batchId: string): string {
  if (!BATCH_ID.test(batchId)) throw new ModelError('invalid_request', 'Invalid batch id');
  return batchId;
}

function viewOf(batch: z.infer<typeof batchShape>): BatchView {
  const counts = batch.request_counts;
  return {
    batchId: batch.id,
    ended: batch.processing_status === 'ended',
    createdAtMs: batch.created_at,
    expiresAtMs: batch.expires_at,
    calls: counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired,
    processing: counts.processing,
  };
}
