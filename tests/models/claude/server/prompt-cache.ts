import { createHash } from 'node:crypto';
import { createTokenCounter } from '../../../../models/tokens/token-counter.ts';
import type { CountRequest } from './protocol.ts';

/** A run of a request in the order in which the provider reads it, with its tokens. */
interface Segment {
  readonly text: string;
  readonly tokens: number;
  /** A cached prefix ends after it. */
  readonly breakpoint: boolean;
}

export interface CacheUse {
  /** Input tokens in all. */
  readonly total: number;
  readonly read: number;
  readonly written: number;
}

const LIFETIME_MS = 5 * 60_000;
const ENVELOPE_TOKENS = 8;
const MESSAGE_TOKENS = 4;
const REMEMBERED_TEXTS = 64;
const REMEMBERED_FROM = 1_000;
const { count, truncate } = createTokenCounter();
const remembered = new Map<string, number>();

/** Counts o200k tokens; long repeated texts, such as prefixes, are counted once. */
export function tokensOf(text: string): number {
  if (text.length < REMEMBERED_FROM) return count(text);
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const tokens = count(text);
  if (remembered.size >= REMEMBERED_TEXTS) remembered.clear();
  remembered.set(text, tokens);
  return tokens;
}

export { truncate as firstTokens };

/** Input tokens of a request: schema, system, messages; `factor` times the o200k count. */
export function inputTokens(request: CountRequest, factor: number): number {
  return segmentsOf(request).reduce((sum, { tokens }) => sum + Math.ceil(tokens * factor), 0);
}

/** The response schema is first, because the provider places it before the system prompt. */
function segmentsOf({ system, messages, output_config: output }: CountRequest): readonly Segment[] {
  const schema = output === undefined ? '' : JSON.stringify(output.format.schema);
  const blocks = typeof system === 'string' ? [{ text: system, cache_control: undefined }] : (system ?? []);
  return [
    { text: schema, tokens: ENVELOPE_TOKENS + tokensOf(schema), breakpoint: false },
    ...blocks.map(({ text, cache_control: control }) => ({
      text,
      tokens: tokensOf(text),
      breakpoint: control !== undefined && control !== null,
    })),
    ...messages.flatMap(({ role, content }) =>
      (typeof content === 'string' ? [{ text: content, cache_control: undefined }] : content).map(
        ({ text, cache_control: control }) => ({
          text: `${role}\n${text}`,
          tokens: MESSAGE_TOKENS + tokensOf(text),
          breakpoint: control !== undefined && control !== null,
        }),
      ),
    ),
  ];
}

/** The least prefix that is cached: the small model's is larger. */
function leastTokens(model: string): number {
  if (model.includes('haiku')) return 4_096;
  return model.includes('sonnet-4-6') ? 2_048 : 1_024;
}

/** The provider's prompt cache: exact prefixes up to each breakpoint, by model, five minutes since they were last used. */
export class PromptCache {
  readonly #now: () => number;
  readonly #factor: number;
  readonly #usedAt = new Map<string, number>();

  constructor(now: () => number, factor: number) {
    this.#now = now;
    this.#factor = factor;
  }

  /** Tokens that a request reads from the cache and writes to it. */
  use(request: CountRequest): CacheUse {
    const now = this.#now();
    const digest = createHash('sha256').update(request.model);
    let total = 0;
    const prefixes: { readonly key: string; readonly tokens: number }[] = [];
    for (const { text, tokens, breakpoint } of segmentsOf(request)) {
      digest.update(`\0${String(text.length)}\0${text}`);
      total += Math.ceil(tokens * this.#factor);
      if (breakpoint && total >= leastTokens(request.model))
        prefixes.push({ key: digest.copy().digest('hex'), tokens: total });
    }
    const isLive = (key: string) => now - (this.#usedAt.get(key) ?? -Infinity) < LIFETIME_MS;
    const read = prefixes.findLast(({ key }) => isLive(key))?.tokens ?? 0;
    const last = prefixes.at(-1)?.tokens ?? 0;
    for (const { key } of prefixes) this.#usedAt.set(key, now);
    return { total, read, written: last - read };
  }
}
