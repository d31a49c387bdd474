import type { BatchItem, ErrorDetail } from './contract.ts';

/** Properties of a failure besides its message. */
export interface Failure {
  /** HTTP status; 0 without a response. */
  readonly status: number;
  readonly code: string;
  readonly details?: readonly ErrorDetail[];
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly items?: readonly BatchItem[];
  readonly cause?: unknown;
}

/** An invalid call: a value that JSON cannot represent, an invalid URL or header. Nothing was sent. */
export function invalidCall(cause: unknown): RecollectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RecollectError(`the call cannot be sent: ${why}`, { status: 0, code: 'INVALID_CALL', cause });
}

/** The server rejected the request or did not respond: the only error that the client rejects with. */
export class RecollectError extends Error {
  override readonly name = 'RecollectError';
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** The server's machine code, or a ClientErrorCode. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  /** Id of the request in the server's log. */
  readonly requestId: string | null;
  /** Wait that the server requests. */
  readonly retryAfterMs: number | null;
  /** Results of `storeBatch` for the memories before the failed part, in order. */
  readonly items: readonly BatchItem[];

  constructor(message: string, failure: Failure) {
    super(message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.status = failure.status;
    this.code = failure.code;
    this.details = failure.details ?? [];
    this.requestId = failure.requestId ?? null;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.items = failure.items ?? [];
  }
}
