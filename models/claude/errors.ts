import { APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import { ModelError, type ModelErrorKind } from '../../domain/ports/model.ts';
import { kindOfStatus, networkCode, readRetryAfter } from '../requests/http-status.ts';

/**
 * Converts an error of a call to a {@link ModelError}. The message names status, type and request id only: a provider's error text may
 * repeat the request, so neither it nor the original error is passed on.
 *
 * @param nowMs Unix time, for a `retry-after` date.
 * @param notFound Meaning of 404: a wrong or retired model name needs a setting, like a key; a missing batch is permanent.
 */
export function toModelError(error: unknown, nowMs: number, notFound: ModelErrorKind = 'unauthorised'): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof APIConnectionTimeoutError)
    return new ModelError('timeout', 'The model sent no response in time');
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
  // A body that is not JSON, or a connection closed inside one.
  return new ModelError('unavailable', 'The model provider sent an unreadable response');
}

/** Returns true for a 400 about the account, not about the request. */
function isBilling(error: APIError): boolean {
  return error.status === 400 && /credit balance|billing/iu.test(error.message);
}

/** Maps an error type without a status, as in a part of a batch. */
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
