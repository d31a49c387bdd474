import type { Answer } from './answer-reader.ts';

/** What came of sending one event. Only the api itself is believed: a proxy before it, or whoever has its port now, says nothing of events. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly body: string }
  /** The api will never take this event: it is set aside. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Somebody asked that this is not kept (forgotten, excluded, switched off): it goes. */
  | { readonly kind: 'unwanted'; readonly reason: string }
  /** The api cannot take this event now; it may take those of other sessions. */
  | { readonly kind: 'later'; readonly reason: string }
  /** Nobody answered in time, or not the api, or it does not know the key or the address: no event gets through. */
  | { readonly kind: 'away'; readonly reason: string };

/** The api's own words for what is wrong with an event (`api/errors.ts`). */
const REFUSED = new Set([
  'INVALID_JSON',
  'INVALID_UTF8',
  'MALFORMED_REQUEST',
  'HEADERS_TOO_LARGE',
  'CONFLICT',
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

const AWAY = new Set([401, 403, 404, 405, 408]);

/** What an answer means for its event. */
export function outcomeOf({ status, isApi, body }: Answer): Outcome {
  if (!isApi) return { kind: 'away', reason: `status ${status}, not of Recollect` };
  if (status >= 200 && status < 300) return { kind: 'accepted', body };
  // A changed key, a wrong address or a slow connection says nothing of the event.
  if (status < 400 || AWAY.has(status)) return { kind: 'away', reason: `status ${status}` };
  const code = status < 500 ? errorCode(body) : '';
  const reason = `status ${status}${code === '' ? '' : ` ${code}`}`;
  if (UNWANTED.has(code)) return { kind: 'unwanted', reason };
  return { kind: REFUSED.has(code) ? 'refused' : 'later', reason };
}

/** The code in an error of the api; empty for none. */
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

/** An error of a connection by its code, which never holds what was sent. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 120);
}
