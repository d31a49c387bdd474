import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { RestoreError } from '../domain/backup/sets.ts';
import { stackLines } from '../domain/stack-lines.ts';
import { databaseCodes } from '../stores/postgres/connection/database-codes.ts';
import { LegalHoldError } from '../stores/postgres/retention/legal-holds.ts';
import { SessionAmbiguous } from '../stores/postgres/sessions/sessions.ts';

/** Every machine code that an answer can carry, with its status: docs/api.md explains each. */
export const ERROR_STATUS = {
  INVALID_JSON: 400,
  INVALID_UTF8: 400,
  MALFORMED_REQUEST: 400,
  OIDC_FAILED: 400,
  UNAUTHENTICATED: 401,
  INVALID_API_KEY: 401,
  INVALID_TOKEN: 401,
  INVALID_CREDENTIALS: 401,
  FORBIDDEN: 403,
  ORIGIN_NOT_ALLOWED: 403,
  STEP_UP_REQUIRED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  CONTRADICTED: 409,
  HASH_AMBIGUOUS: 409,
  LEGAL_HOLD: 409,
  DRY_RUN_REQUIRED: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  HOST_NOT_ALLOWED: 421,
  VALIDATION_FAILED: 422,
  UNKNOWN_EVENT_TYPE: 422,
  EVENT_TOO_LARGE: 422,
  SESSION_DELETED: 422,
  EVENT_FORGOTTEN: 422,
  CAPTURE_DISABLED: 422,
  FOLDER_EXCLUDED: 422,
  EVENT_NOT_STORABLE: 422,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  NOT_CONFIGURED: 501,
  STORAGE_UNAVAILABLE: 503,
  TEMPORAL_UNAVAILABLE: 503,
  OIDC_UNAVAILABLE: 503,
  BUSY: 503,
} as const;
export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
  /** Id of a memory, session or other resource that the field refers to. */
  readonly id?: string;
  readonly type?: string;
  readonly preview?: string;
}

/** An error that is meant for the caller. Its message never repeats what the caller sent. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, details: readonly ErrorDetail[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Returns the error for what was not found. `field`: what named it, if that is not its kind. */
export function noSuch(what: string, field = what): ApiError {
  return new ApiError('NOT_FOUND', `there is no such ${what}`, [{ field, message: 'does not exist' }]);
}

/** Returns a value that was found. @throws ApiError NOT_FOUND if there is none */
export function existing<Value>(value: Value | null | undefined, what: string, field = what): Value {
  if (value === null || value === undefined) throw noSuch(what, field);
  return value;
}

/** Returns the error of one field of a request. `subject` names it in the message. */
export function invalid(field: string, message: string, subject = field): ApiError {
  return new ApiError('VALIDATION_FAILED', `${subject} ${message}`, [{ field, message }]);
}

/** Returns the error of a field that contradicts what is stored. `subject` names it in the message. */
export function conflict(field: string, message: string, subject = field): ApiError {
  return new ApiError('CONFLICT', `${subject} ${message}`, [{ field, message }]);
}

const RETRY_AFTER_SECONDS = 2;
/** Logged lines of the stack of an unexpected error: the innermost ones are mostly those of the database client. */
const PLACES = 10;

/** Maps Fastify's error codes to those of the api. */
const FRAMEWORK_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is larger than this route accepts'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'this route does not accept the content type'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_JSON', 'the body differs in length from its content-length header'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_JSON', 'the body is empty'],
  FST_ERR_BAD_URL: ['VALIDATION_FAILED', 'the address is not well encoded'],
  FST_ERR_MAX_PARAM_LENGTH: ['VALIDATION_FAILED', 'a part of the address is too long'],
};

/** 25P03 and 25P04: the api had too little processor time for its transaction. 3D000 and 55000: a restore puts another database in the place of this one. */
const UNAVAILABLE =
  /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|08|25P0[34]|3D000|40|53|55000|55P03|57|58|P1|P20(?:24|28|34|37))/;

/** Message of PostgreSQL for a written row outside a policy; its code, 42501, also means a missing grant. */
const OUTSIDE_POLICY = /violates row-level security policy/;

/** Returns true if PostgreSQL is unavailable, starting, stopping or full, for a deadlock, a time limit, and an exhausted pool. */
function isUnavailable(error: Error): boolean {
  if (databaseCodes(error).some((code) => UNAVAILABLE.test(code))) return true;
  return /connection terminated|timeout exceeded when trying to connect|server has closed the connection|is not queryable|cannot use a pool after/i.test(
    error.message,
  );
}

/** Returns the error to send to the caller; an unexpected one becomes INTERNAL, without details. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const details = error.validation.map((issue) => ({
      field: issue.instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: issue.message ?? 'is not valid',
    }));
    return new ApiError('VALIDATION_FAILED', 'the request is not valid', details);
  }
  if (error instanceof LegalHoldError)
    return new ApiError('LEGAL_HOLD', error.message, [{ field: 'hold', message: 'is active', id: error.holdId }]);
  if (error instanceof SessionAmbiguous)
    return new ApiError(
      'CONFLICT',
      error.message,
      error.sessionIds.map((id) => ({ field: 'session', message: 'has this name', id })),
    );
  if (error instanceof RestoreError) return new ApiError('CONFLICT', error.message);
  if (error instanceof Error && error.name === 'TemporalUnavailable')
    return new ApiError('TEMPORAL_UNAVAILABLE', error.message);
  if (error instanceof Error) {
    const known = 'code' in error && typeof error.code === 'string' ? FRAMEWORK_CODES[error.code] : undefined;
    if (known !== undefined) return new ApiError(...known);
    if (OUTSIDE_POLICY.test(error.message))
      return new ApiError('FORBIDDEN', 'what the request writes is outside the namespaces and projects of the key');
    if (isUnavailable(error)) return new ApiError('STORAGE_UNAVAILABLE', 'storage is unavailable; try again');
  }
  return new ApiError('INTERNAL', 'something went wrong here; the log has the request id');
}

/** Sends every error in the common shape. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const known = toApiError(error);
  const status = ERROR_STATUS[known.code];
  if (known.code === 'INTERNAL')
    request.log.error(
      {
        error: error.name,
        code: error.code,
        codes: databaseCodes(error),
        stack: stackLines(error)
          .filter((line) => /^\s+at /.test(line))
          .slice(0, PLACES),
      },
      'request failed',
    );
  if (status === 503) void reply.header('retry-after', RETRY_AFTER_SECONDS);
  if (known.code === 'RATE_LIMITED' && !reply.hasHeader('retry-after')) void reply.header('retry-after', 1);
  void reply
    .status(status)
    .send({ error: known.message, code: known.code, details: known.details, request_id: request.id });
}
