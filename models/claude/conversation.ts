import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import { ModelError, type ModelUsage } from '../../domain/ports/model.ts';
import { toModelError } from './errors.ts';

/** US dollars per million tokens. */
export interface Prices {
  readonly inputUsdPerMTok: number;
  readonly outputUsdPerMTok: number;
  readonly cacheWriteUsdPerMTok: number;
  readonly cacheReadUsdPerMTok: number;
}

export interface ConversationOptions {
  readonly client: Anthropic;
  readonly model: string;
  readonly prices: Prices;
  readonly timeoutMs: number;
  readonly maxOutputTokens: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

interface Question<Answer> {
  /** The stable prefix, cached by the provider. */
  readonly instructions: string;
  readonly schema: z.ZodType<Answer>;
  readonly jsonSchema: Record<string, unknown>;
  readonly data: string;
}

interface Answered<Answer> {
  readonly answer: Answer;
  readonly usage: readonly ModelUsage[];
}

/** What this adapter relies on in a message; the provider may add to it. */
const messageShape = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string().nullable(),
  usage: z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cache_creation_input_tokens: z.number().nullish(),
    cache_read_input_tokens: z.number().nullish(),
  }),
});

/**
 * Asks once, and once more with the reason if the answer does not fit the schema.
 *
 * @throws ModelError with the usage of every call that was made; the signal's reason if the caller aborted
 */
export async function ask<Answer>(
  options: ConversationOptions,
  question: Question<Answer>,
  signal: AbortSignal,
): Promise<Answered<Answer>> {
  const opening: Anthropic.MessageParam = { role: 'user', content: question.data };
  const first = await call(options, question, [opening], [], signal);
  const read = readAnswer(first.text, question.schema);
  if (read.ok) return { answer: read.answer, usage: first.usage };
  const again: readonly Anthropic.MessageParam[] = [
    opening,
    { role: 'assistant', content: first.text.trim() === '' ? '(no text)' : first.text.trimEnd() },
    {
      role: 'user',
      content: `That answer cannot be used: ${read.problem}\nAnswer again with the whole JSON object and nothing else.`,
    },
  ];
  const second = await call(options, question, again, first.usage, signal);
  const repaired = readAnswer(second.text, question.schema);
  if (repaired.ok) return { answer: repaired.answer, usage: second.usage };
  throw new ModelError('invalid_output', `The answer did not fit the schema after one repair: ${repaired.where}`, {
    usage: second.usage,
  });
}

async function call(
  { client, model, prices, timeoutMs, maxOutputTokens, now }: ConversationOptions,
  { instructions, jsonSchema }: Pick<Question<unknown>, 'instructions' | 'jsonSchema'>,
  messages: readonly Anthropic.MessageParam[],
  before: readonly ModelUsage[],
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly usage: readonly ModelUsage[] }> {
  signal.throwIfAborted();
  const start = now();
  // The client's own limit ends with the headers; this one also covers a body that never ends.
  const limit = AbortSignal.timeout(timeoutMs);
  let raw: unknown;
  try {
    raw = await client.messages.create(
      {
        model,
        max_tokens: maxOutputTokens,
        system: [{ type: 'text', text: instructions, cache_control: { type: 'ephemeral' } }],
        messages: [...messages],
        output_config: { format: { type: 'json_schema', schema: jsonSchema } },
      },
      { signal: AbortSignal.any([signal, limit]), timeout: timeoutMs, maxRetries: 0 },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new ModelError('timeout', 'The model gave no answer in time', { usage: before });
    throw toModelError(error, now(), before);
  }
  const message = messageShape.safeParse(raw);
  if (!message.success)
    throw new ModelError('unavailable', 'The model provider sent an answer that is no message', { usage: before });
  const usage = [...before, usageOf(message.data.usage, model, prices, Math.max(0, now() - start))];
  failOnStop(message.data.stop_reason, usage);
  return { text: message.data.content.map(({ text }) => text ?? '').join(''), usage };
}

function failOnStop(reason: string | null, usage: readonly ModelUsage[]): void {
  if (reason === 'max_tokens' || reason === 'model_context_window_exceeded') {
    throw new ModelError('truncated', `The answer was cut off (${reason})`, { usage });
  }
  if (reason === 'refusal') throw new ModelError('refused', 'The model refused to answer', { usage });
}

function usageOf(
  usage: z.infer<typeof messageShape>['usage'],
  model: string,
  prices: Prices,
  latencyMs: number,
): ModelUsage {
  const written = usage.cache_creation_input_tokens ?? 0;
  const cached = usage.cache_read_input_tokens ?? 0;
  const costUsd =
    (usage.input_tokens * prices.inputUsdPerMTok +
      written * prices.cacheWriteUsdPerMTok +
      cached * prices.cacheReadUsdPerMTok +
      usage.output_tokens * prices.outputUsdPerMTok) /
    1_000_000;
  return {
    provider: 'anthropic',
    model,
    tokensIn: usage.input_tokens + written + cached,
    tokensOut: usage.output_tokens,
    tokensCached: cached,
    costUsd,
    latencyMs,
  };
}

type Reading<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  /** `problem` is for the model and may repeat its words; `where` names places in the schema only. */
  | { readonly ok: false; readonly problem: string; readonly where: string };

const MAX_ISSUES = 8;

function readAnswer<Answer>(text: string, schema: z.ZodType<Answer>): Reading<Answer> {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\s*```(?:json)?\s*|\s*```\s*$/gu, ''));
  } catch (error) {
    return {
      ok: false,
      problem: `it is no JSON (${error instanceof Error ? error.message : 'unknown error'}).`,
      where: 'no JSON',
    };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: true, answer: parsed.data };
  const issues = parsed.error.issues.slice(0, MAX_ISSUES);
  return {
    ok: false,
    problem: issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    where: issues.map(({ path, code }) => `${path.join('.')} ${code}`.trim()).join(', '),
  };
}
