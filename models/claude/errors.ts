import { APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { ModelError, type ModelErrorKind } from '../../domain/ports/model.ts';

/**
 * Turns whatever a call threw into a {@link ModelError}. Its message names status, type and request id only: a provider's
 * error text may repeat what was sent, so neither it nor the original error travels on.
 *
 * @param nowMs Unix time, to read a `retry-after` that is a date.
 * @param notFound What 404 means: a model's name that is wrong or retired is mended by a setting, like a key; a batch that is gone is gone.
 */
export function toModelError(error: unknown, nowMs: number, notFound: ModelErrorKind = 'unauthorised'): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof APIConnectionTimeoutError) return new ModelError('timeout', 'The model gave no answer in time');
  if (error instanceof APIError) {
    const status: unknown = error.status;
    if (typeof status === 'number') {
      const details = [error.type, error.requestID].filter((part) => typeof part === 'string').join(', ');
      const retryAfterMs = readRetryAfter(error.headers, nowMs);
      return new ModelError(
        isBilling(error) ? 'unauthorised' : kindOfStatus(status, notFound),
        `The model provider answered ${String(status)}${details === '' ? '' : ` (${details})`}`,
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
    }
    return new ModelError('unavailable', `The model provider cannot be reached${networkCode(error)}`);
  }
  // A body that is no JSON, a connection cut in the middle of one.
  return new ModelError('unavailable', 'The model provider sent an answer that cannot be read');
}

/** A 400 that is about the account and not about what was sent. */
function isBilling(error: APIError): boolean {
  return error.status === 400 && /credit balance|billing/iu.test(error.message);
}

/** What a status of the Messages API means for the caller. */
function kindOfStatus(status: number, notFound: ModelErrorKind): ModelErrorKind {
  switch (status) {
    case 401:
    case 402:
    case 403:
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
    default:
      return status >= 500 ? 'unavailable' : 'invalid_request';
  }
}

/** Milliseconds to wait, from `retry-after-ms`, or from `retry-after` as seconds or as an HTTP date; undefined without either. */
export function readRetryAfter(headers: Headers | undefined, nowMs: number): number | undefined {
  const milliseconds = positive(headers?.get('retry-after-ms'));
  if (milliseconds !== undefined) return Math.ceil(milliseconds);
  const value = headers?.get('retry-after')?.trim() ?? '';
  const seconds = positive(value);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  // `Date.parse` takes "-5" for a date; an HTTP date begins with the name of a day.
  const date = /^[A-Za-z]{3}/u.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function positive(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined || !/^\s*\d+(?:\.\d+)?\s*$/u.test(value)) return undefined;
  return Number(value);
}

function networkCode(error: Error): string {
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z_]+$/u.test(cause.code)) return ` (${cause.code})`;
  }
  return '';
}

/** What an error's type means where it came without a status, as in a part of a batch. */
export function kindOfType(type: string): ModelErrorKind {
  switch (type) {
    case 'authentication_error':
    case 'billing_error':
    case 'permission_error':
    case 'not_found_error':
      return 'unauthorised';
    case 'timeout_error':
      return 'timeout';
    case 'rate_limit_error':
      return 'rate_limited';
    case 'overloaded_error':
      return 'overloaded';
    case 'invalid_request_error':
    case 'request_too_large':
      return 'invalid_request';
    default:
      return 'unavailable';
  }
}
