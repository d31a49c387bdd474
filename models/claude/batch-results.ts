import { z } from 'zod';
import { type BatchOutcome, ModelError, type ModelErrorKind } from '../../domain/ports/model.ts';
import type { BatchPrices } from './batches.ts';
import { kindOfType, toModelError } from './errors.ts';
import { jsonLines } from './json-lines.ts';
import type { PricedModel } from './options.ts';
import { stoppedBy } from './reading.ts';
import { billedTokens, messageShape, textOf, type TransportOptions, understood } from './transport.ts';
import { usageOf } from './prices.ts';

/** A model response has some kilobytes; this also covers provider additions. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

const lineShape = z.object({
  custom_id: z.string(),
  result: z.discriminatedUnion('type', [
    z.object({ type: z.literal('succeeded'), message: messageShape }),
    z.object({ type: z.literal('errored'), error: z.object({ error: z.object({ type: z.string() }) }) }),
    z.object({ type: z.literal('canceled') }),
    z.object({ type: z.literal('expired') }),
  ]),
});

/**
 * Streams the outcomes of an ended batch. Reads them from the batch's address, not from the one in the provider's response, so that the
 * key is sent to the configured server only.
 *
 * @throws ModelError, `unavailable` if the stream breaks off; the signal's reason if the caller aborted
 */
export async function* batchResults(
  { client, timeoutMs, now }: TransportOptions,
  prices: BatchPrices,
  batchId: string,
  signal: AbortSignal,
): AsyncGenerator<BatchOutcome> {
  signal.throwIfAborted();
  // Limits each pause of the stream: the total may take as long as the caller spends on each outcome.
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(() => {
      stalled.abort();
    }, timeoutMs);
  };
  wait();
  try {
    const response = await client
      .get(`/v1/messages/batches/${batchId}/results`, {
        signal: AbortSignal.any([signal, stalled.signal]),
        timeout: timeoutMs,
        maxRetries: 0,
        stream: true,
        __binaryResponse: true,
        headers: { accept: 'application/binary' },
      })
      .asResponse();
    if (response.body === null) throw new ModelError('unavailable', 'The model provider sent no results');
    for await (const line of jsonLines(response.body, MAX_LINE_BYTES)) {
      clearTimeout(timer);
      yield outcomeOf(understood(lineShape.safeParse(line), 'a result that cannot be read'), prices);
      wait();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (stalled.signal.aborted) throw new ModelError('timeout', 'The model provider sent no results in time');
    throw toModelError(error, now(), 'invalid_request');
  } finally {
    clearTimeout(timer);
    // A caller that stops early must not leave the connection open.
    stalled.abort();
  }
}

function outcomeOf({ custom_id: customId, result }: z.infer<typeof lineShape>, prices: BatchPrices): BatchOutcome {
  switch (result.type) {
    case 'succeeded': {
      const { message } = result;
      const usage = usageOf(billedTokens(message), modelOf(message.model, prices), prices.priceShare, 0);
      return { customId, kind: 'answered', text: textOf(message), stopped: stoppedBy(message.stop_reason), usage };
    }
    case 'errored':
      return { customId, kind: 'failed', error: kindOfType(result.error.error.type) satisfies ModelErrorKind };
    case 'canceled':
      return { customId, kind: 'cancelled' };
    case 'expired':
      return { customId, kind: 'expired' };
  }
}

/** Returns the model of a provider's full name ("…-20251001"), also for a shorter configured one. */
function modelOf(name: string, { small, large }: BatchPrices): PricedModel {
  if (name === small.name) return small;
  if (name === large.name) return large;
  return name.startsWith(`${small.name}-`) ? small : large;
}
