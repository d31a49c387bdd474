import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import { ModelError, type ModelErrorKind } from '../../domain/ports/model.ts';
import { toModelError } from './errors.ts';
import type { BilledTokens } from '../requests/prices.ts';
import type { MessageRequest } from '../requests/protocol.ts';

/** Returns the body of a request, which direct calls, counting and batches share. */
export function messageParams({ model, system, user, schema }: MessageRequest) {
  return {
    model: model.name,
    system: system.map((text) => ({ type: 'text' as const, text, cache_control: { type: 'ephemeral' as const } })),
    messages: [{ role: 'user' as const, content: user }],
    output_config: { format: { type: 'json_schema' as const, schema } },
    ...(model.thinking === undefined ? {} : { thinking: { type: model.thinking } }),
  };
}

/** The fields of a message that this adapter uses; the provider may add others. */
export const messageShape = z.object({
  model: z.string(),
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string().nullable(),
  usage: z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cache_creation_input_tokens: z.number().nullish(),
    cache_read_input_tokens: z.number().nullish(),
  }),
});
export type ProviderMessage = z.infer<typeof messageShape>;

const countShape = z.object({ input_tokens: z.int().nonnegative() });

export interface TransportOptions {
  readonly client: Anthropic;
  readonly timeoutMs: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** One call of the provider, without retries. @throws ModelError; the signal's reason if the caller aborted. */
export async function once(
  { timeoutMs, now }: TransportOptions,
  signal: AbortSignal,
  run: (options: { signal: AbortSignal; timeout: number; maxRetries: 0 }) => Promise<unknown>,
  notFound?: ModelErrorKind,
): Promise<unknown> {
  signal.throwIfAborted();
  // The client's own timeout ends with the headers; this one also covers a body that never ends.
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await run({ signal: AbortSignal.any([signal, limit]), timeout: timeoutMs, maxRetries: 0 });
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new ModelError('timeout', 'The model sent no response in time');
    throw toModelError(error, now(), notFound);
  }
}

/** Returns the input tokens of a request, as the provider counts and bills them. Free of charge. */
export async function countInput(
  transport: TransportOptions,
  request: MessageRequest,
  signal: AbortSignal,
): Promise<number> {
  const raw = await once(transport, signal, (options) =>
    transport.client.messages.countTokens(messageParams(request), options),
  );
  return understood(countShape.safeParse(raw), 'a count that is no number').input_tokens;
}

/** Sends the request and waits for the message. */
export async function sendMessage(
  transport: TransportOptions,
  request: MessageRequest,
  maxTokens: number,
  signal: AbortSignal,
): Promise<ProviderMessage> {
  const params = { ...messageParams(request), max_tokens: maxTokens };
  const raw = await once(transport, signal, (options) => transport.client.messages.create(params, options));
  return understood(messageShape.safeParse(raw), 'a response that is not a message');
}

/** Returns the parsed value. @throws ModelError `unavailable`: proxies and outages occasionally respond with status 200. */
export function understood<Value>(
  parsed: { readonly success: true; readonly data: Value } | { readonly success: false },
  what: string,
): Value {
  if (parsed.success) return parsed.data;
  throw new ModelError('unavailable', `The model provider sent ${what}`);
}

/** Returns the text of a message as PostgreSQL can store it. `readResponse` does the same for escaped characters. */
export function textOf({ content }: ProviderMessage): string {
  return wellFormed(content.map(({ text }) => text ?? '').join(''));
}

export function billedTokens({ usage }: ProviderMessage): BilledTokens {
  return {
    input: usage.input_tokens,
    cacheWritten: usage.cache_creation_input_tokens ?? 0,
    cached: usage.cache_read_input_tokens ?? 0,
    output: usage.output_tokens,
  };
}

/** Returns why the model stopped early; null if it did not. */
export function stoppedBy(reason: string | null): 'refused' | 'truncated' | null {
  if (reason === 'refusal') return 'refused';
  return reason === 'max_tokens' || reason === 'model_context_window_exceeded' ? 'truncated' : null;
}
