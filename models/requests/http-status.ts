import type { ModelErrorKind } from '../../domain/ports/model.ts';

/** Maps a status of a model provider to an error kind. `notFound`: meaning of 404. */
export function kindOfStatus(status: number, notFound: ModelErrorKind = 'unauthorised'): ModelErrorKind {
  switch (status) {
    case 401:
    case 402:
    case 403:
    // A wrong address, or a proxy that requires a log-in.
    case 405:
    case 407:
      return 'unauthorised';
    case 404:
      return notFound;
    case 408:
      return 'timeout';
    case 429:
      return 'rate_limited';
    case 503:
    case 529:
      return 'overloaded';
    case 409:
    case 425:
      return 'unavailable';
    default:
      return status >= 500 ? 'unavailable' : 'invalid_request';
  }
}

/** Longest wait that a provider can request: it is tried again after a day, even if its clock or its quota is later. */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/**
 * Returns the wait in milliseconds from `retry-after-ms`, or from `retry-after` as seconds or HTTP date, at most a day; undefined without
 * either.
 */
export function readRetryAfter(headers: Headers | undefined, nowMs: number): number | undefined {
  const waitMs = statedWaitMs(headers, nowMs);
  return waitMs === undefined ? undefined : Math.min(waitMs, MAX_RETRY_AFTER_MS);
}

function statedWaitMs(headers: Headers | undefined, nowMs: number): number | undefined {
  const milliseconds = positive(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.ceil(milliseconds);
  const value = headers?.get('retry-after')?.trim() ?? '';
  const seconds = positive(value);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  // `Date.parse` accepts "-5"; an HTTP date starts with a weekday.
  const date = /^[A-Za-z]{3}/u.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function positive(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined || !/^\s*\d+(?:\.\d+)?\s*$/u.test(value)) return undefined;
  return Number(value);
}

/** Returns the code of a network error in brackets, such as ` (ECONNREFUSED)`; empty without one. */
export function networkCode(error: Error): string {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z_]+$/u.test(cause.code)) return ` (${cause.code})`;
  }
  return '';
}
