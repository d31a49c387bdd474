import { z } from 'zod';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import type { ModelErrorKind } from '../../domain/ports/model.ts';
import { kindOfStatus } from '../requests/http-status.ts';
import type { BilledTokens } from '../requests/prices.ts';
import type { Reply } from '../requests/protocol.ts';
import type { ClaudeOutput } from './program.ts';

const count = z.number().int().nonnegative().nullish();

const resultShape = z.object({
  type: z.literal('result'),
  is_error: z.boolean(),
  result: z.string().nullish(),
  structured_output: z.unknown().optional(),
  api_error_status: z.number().int().nullish(),
  terminal_reason: z.string().nullish(),
  stop_reason: z.string().nullish(),
  total_cost_usd: z.number().nonnegative().nullish(),
  usage: z
    .object({
      input_tokens: count,
      output_tokens: count,
      cache_creation_input_tokens: count,
      cache_read_input_tokens: count,
    })
    .nullish(),
});
type Result = z.infer<typeof resultShape>;

const limitShape = z.object({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.object({
    status: z.string().nullish(),
    /** Unix time in seconds. */
    resetsAt: z.number().positive().nullish(),
    /** 0–1 */
    utilization: z.number().nonnegative().nullish(),
  }),
});

/** From this share of the quota on, no request is sent until its reset: the rest is the user's own work. */
const FULL_UTILIZATION = 0.9;

export interface ClaudeResult {
  /** Unix time in milliseconds until which the quota of the user is nearly exhausted; null if it is not. */
  readonly exhaustedUntilMs: number | null;
  /** The response, or why there is none. */
  readonly outcome:
    | { readonly ok: true; readonly reply: Reply }
    | {
        readonly ok: false;
        readonly kind: ModelErrorKind;
        readonly message: string;
        readonly cost: { readonly tokens: BilledTokens; readonly usd: number } | null;
      };
}

/** Reads the lines of a run, of which the last result counts. Lines of other types and text that is no JSON are skipped. */
export function readResult({ lines, code }: ClaudeOutput): ClaudeResult {
  let result: Result | undefined;
  let exhaustedUntilMs: number | null = null;
  for (const line of lines) {
    const value = parsed(line);
    result = resultShape.safeParse(value).data ?? result;
    const limit = limitShape.safeParse(value).data?.rate_limit_info;
    if (limit?.resetsAt === null || limit?.resetsAt === undefined) continue;
    const isExhausted = limit.status === 'rejected' || (limit.utilization ?? 0) >= FULL_UTILIZATION;
    if (isExhausted) exhaustedUntilMs = Math.max(exhaustedUntilMs ?? 0, Math.ceil(limit.resetsAt * 1_000));
  }
  return { exhaustedUntilMs, outcome: result === undefined ? withoutResult(code) : outcomeOf(result) };
}

function parsed(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return value;
  } catch {
    return undefined;
  }
}

/** An exit without a result: an unknown option of an older version, or a program that was killed. */
function withoutResult(code: number | null): ClaudeResult['outcome'] {
  const isRefused = code !== null && code !== 0;
  const message = isRefused
    ? `The program of claude-cli ended with exit code ${code} and without a result; it needs version 2.1.169 or newer`
    : 'The program of claude-cli ended without a result';
  return { ok: false, kind: isRefused ? 'unauthorised' : 'unavailable', message, cost: null };
}

function outcomeOf(result: Result): ClaudeResult['outcome'] {
  const { usage } = result;
  const tokens = {
    input: usage?.input_tokens ?? 0,
    cacheWritten: usage?.cache_creation_input_tokens ?? 0,
    cached: usage?.cache_read_input_tokens ?? 0,
    output: usage?.output_tokens ?? 0,
  };
  const usd = result.total_cost_usd ?? 0;
  if (result.is_error) {
    const { kind, message } = errorOf(result);
    return { ok: false, kind, message, cost: usd === 0 ? null : { tokens, usd } };
  }
  // The schema is no guarantee: after three attempts the text of the last one remains.
  const hasOutput = result.structured_output !== null && result.structured_output !== undefined;
  const text = wellFormed(hasOutput ? JSON.stringify(result.structured_output) : (result.result ?? ''));
  return { ok: true, reply: { text, stopped: hasOutput ? null : stoppedBy(result), tokens, costUsd: usd } };
}

function stoppedBy({ stop_reason: reason }: Result): Reply['stopped'] {
  if (reason === 'refusal') return 'refused';
  return reason === 'max_tokens' ? 'truncated' : null;
}

function errorOf({ api_error_status: status, terminal_reason: reason, result }: Result): {
  readonly kind: ModelErrorKind;
  readonly message: string;
} {
  if (reason === 'prompt_too_long')
    return { kind: 'invalid_request', message: 'The model provider refused the request as too long' };
  if (status !== null && status !== undefined)
    return { kind: kindOfStatus(status), message: `The model provider answered ${status}` };
  // Text of the program itself: no request was sent.
  if (/log ?in/iu.test(result ?? ''))
    return { kind: 'unauthorised', message: 'The program of claude-cli is not logged in' };
  return { kind: 'unavailable', message: 'The program of claude-cli reported an error' };
}
