import type { Answer } from './answer-reader.ts';

/** Result of sending one event. Only api responses count, not those of a proxy or another server on its port. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly body: string }
  /** The api permanently rejects this event: quarantine it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The event must not be stored (forgotten, excluded, capture disabled): drop it. */
  | { readonly kind: 'unwanted'; readonly reason: string }
  /** The api cannot store this event now; it may store those of other sessions. */
  | { readonly kind: 'later'; readonly reason: string }
  /** Timeout, another server, or an unknown key or address: no event can be delivered. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Error codes of permanent rejections (`api/errors.ts`). */
const REFUSED = new Set([
  'INVALID_JSON',
  'INVALID_UTF8',
  'MALFORMED_REQUEST',
  'OIDC_FAILED',
  'HEADERS_TOO_LARGE',
  'CONFLICT',
  'CONTRADICTED',
  'HASH_AMBIGUOUS',
  'LEGAL_HOLD',
  'DRY_RUN_REQUIRED',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'VALIDATION_FAILED',
  'UNKNOWN_EVENT_TYPE',
  'EVENT_TOO_LARGE',
  'EVENT_NOT_STORABLE',
]);
const UNWANTED = new Set(['SESSION_DELETED', 'EVENT_FORGOTTEN', 'CAPTURE_DISABLED', 'FOLDER_EXCLUDED']);

const UNDELIVERABLE = new Set([401, 403, 404, 405, 408, 421]);

/** Returns the outcome of a response. */
export function outcomeOf({ status, isApi, body }: Answer): Outcome {
  // A proxy before the api may limit bodies: then this event is too large for it, and others are not.
  if (!isApi) return { kind: status === 413 ? 'later' : 'unavailable', reason: `status ${status}, not of Recollect` };
  if (status >= 200 && status < 300) return { kind: 'accepted', body };
  // A changed key, a wrong address or a slow connection does not reject the event.
  if (status < 400 || UNDELIVERABLE.has(status)) return { kind: 'unavailable', reason: `status ${status}` };
  const code = status < 500 ? errorCode(body) : '';
  const reason = `status ${status}${code === '' ? '' : ` ${code}`}`;
  // The quota is the user's: events of other sessions would be rejected, too.
  if (code === 'RATE_LIMITED') return { kind: 'unavailable', reason };
  if (UNWANTED.has(code)) return { kind: 'unwanted', reason };
  return { kind: REFUSED.has(code) ? 'refused' : 'later', reason };
}

/** Returns the code of an api error; '' without one. */
function errorCode(body: string): string {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return '';
  }
  if (answer === null || typeof answer !== 'object' || !('code' in answer)) return '';
  return typeof answer.code === 'string' && /^[A-Z\d_]{1,40}$/.test(answer.code) ? answer.code : '';
}

/** Returns the code of a connection error, which contains no content. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 120);
}
