import { z } from 'zod';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelErrorKind } from '../../domain/ports/model.ts';
import { kindOfStatus, readRetryAfter } from '../requests/http-status.ts';

const label = z.union([z.string(), z.number()]).nullish();
/** Gemini's details have a reason; other ones are skipped. */
const reasons = z
  .array(z.object({ reason: label }))
  .nullish()
  .catch(null);
const details = z.object({ message: z.string().nullish(), type: label, code: label, status: label, details: reasons });

/**
 * The error in the body of a response, in every dialect: `{error: {message, type, code}}` (OpenAI, Ollama, vLLM, OpenRouter), `{error: "text"}` (LM
 * Studio), `[{error: {code, status}}]` (Gemini), `{object: "error", message, type, code}` (older vLLM).
 */
const errorShape = z.union([
  z.object({ error: details }).transform(({ error }) => error),
  z.object({ error: z.string() }).transform(({ error }): Details => ({ message: error, details: null })),
  z.tuple([z.object({ error: details })]).transform(([{ error }]) => error),
  details.extend({ object: z.literal('error') }),
]);
type Details = z.infer<typeof details>;

/** Codes that mean another kind than the status that they come with, or that come with status 200. */
const KINDS_OF_CODES: Readonly<Record<string, ModelErrorKind>> = {
  insufficient_quota: 'unauthorised',
  billing_hard_limit_reached: 'unauthorised',
  invalid_api_key: 'unauthorised',
  API_KEY_INVALID: 'unauthorised',
  // The field of the output limit and the temperature are settings.
  unsupported_parameter: 'unauthorised',
  unsupported_value: 'unauthorised',
  model_not_found: 'unauthorised',
  rate_limit_exceeded: 'rate_limited',
  RESOURCE_EXHAUSTED: 'rate_limited',
  overloaded_error: 'overloaded',
  UNAVAILABLE: 'overloaded',
  context_length_exceeded: 'invalid_request',
};

/** Servers report a context that is too long with 400, 413 or 500. */
const TOO_LONG = /context (?:length|size|window)|maximum context|exceeds?\b[^.]*\bcontext|prompt is too long/iu;

/** Gemini reports a wrong key as an invalid argument. At the start of the text: servers repeat requests in it. */
const WRONG_KEY = /^\W*(?:API key (?:not (?:valid|found)|expired)|missing or invalid authorization)/iu;

/** Returns the error in a body; null for one without. */
export function errorIn(body: unknown): Details | null {
  const parsed = errorShape.safeParse(body);
  return parsed.success ? parsed.data : null;
}

/**
 * Returns the error of a response. The message has status and code only: the provider's text may repeat the request.
 *
 * @param nowMs Unix time, for a `retry-after` date.
 */
export function toModelError(
  response: Pick<Response, 'status' | 'headers'>,
  error: Details | null,
  nowMs: number,
): ModelError {
  const { message = '', type, code, status: name, details: given } = error ?? {};
  const reasonsGiven = (given ?? []).map(({ reason }) => reason);
  const labels = [...reasonsGiven, code, name, type].map((each) =>
    each === null || each === undefined ? '' : String(each),
  );
  const shown = labels.find((each) => /^[A-Za-z_]{1,60}$/u.test(each)) ?? '';
  const [numeric = response.status] = labels.filter((each) => /^[45]\d\d$/u.test(each)).map(Number);
  const status = response.status === 200 ? numeric : response.status;
  const byCode = labels.map((each) => KINDS_OF_CODES[each]).find((kind) => kind !== undefined);
  const known = status === 400 && WRONG_KEY.test(message ?? '') ? 'unauthorised' : byCode;
  const isTooLong = status >= 400 && status !== 429 && TOO_LONG.test(message ?? '');
  // An error without any status is one of the server.
  const kind = isTooLong ? 'invalid_request' : (known ?? (status === 200 ? 'unavailable' : kindOfStatus(status)));
  const retryAfterMs = readRetryAfter(response.headers, nowMs);
  return new ModelError(
    kind,
    `The model provider answered ${String(status)}${shown === '' ? '' : ` (${shown})`}${isTooLong ? ': the request exceeds its context' : ''}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}
