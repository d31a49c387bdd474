import { z } from 'zod';
import { ModelError } from '../../domain/ports/model.ts';
import type { BatchOutcome, ModelErrorKind } from '../../domain/ports/model.ts';
import type { BatchPrices } from './batches.ts';
import { kindOfType, toModelError } from './errors.ts';
import type { PricedModel } from '../requests/options.ts';
import { usageOf } from '../requests/prices.ts';
import { billedTokens, messageShape, stoppedBy, textOf, understood } from './transport.ts';
import type { TransportOptions } from './transport.ts';

const NEWLINE = 10;

/**
 * Yields the values of a body with one JSON value per line as they arrive; skips empty lines.
 *
 * @throws ModelError `unavailable` for a line that is too long or not JSON, such as the last one of a truncated body
 */
export async function* jsonLines(body: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator {
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...buffered, chunk.subarray(start, at)]);
      buffered = [];
      bufferedBytes = 0;
      start = at + 1;
      if (line.length > maxLineBytes) throw tooLong();
      const value = parsed(line);
      if (value !== undefined) yield value;
    }
    const rest = chunk.subarray(start);
    bufferedBytes += rest.length;
    if (bufferedBytes > maxLineBytes) throw tooLong();
    if (rest.length > 0) buffered.push(rest);
  }
  const value = parsed(Buffer.concat(buffered));
  if (value !== undefined) yield value;
}

function parsed(line: Buffer): unknown {
  const text = line.toString('utf8').trim();
  if (text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // The parser's message repeats its input.
    throw new ModelError('unavailable', 'The model provider sent results that are truncated or not JSON');
  }
}

function tooLong(): ModelError {
  return new ModelError('unavailable', 'The model provider sent a result that is too long');
}

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
      const usage = usageOf('anthropic', billedTokens(message), modelOf(message.model, prices), prices.priceShare, 0);
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
