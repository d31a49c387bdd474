import type { BatchItem, ErrorDetail } from './contract.ts';

/** What is known of a failure beside its message. */
export interface Failure {
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly details?: readonly ErrorDetail[];
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly items?: readonly BatchItem[];
  readonly cause?: unknown;
}

/** What cannot be sent at all: a value that is no JSON, an address that is none, a header that may not stand in one. Nothing was sent. */
export function invalidCall(cause: unknown): RecollectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RecollectError(`the call cannot be sent: ${why}`, { status: 0, code: 'INVALID_CALL', cause });
}

/** The server rejected the request or did not respond: the only error that the client rejects with. */
export class RecollectError extends Error {
  override readonly name = 'RecollectError';
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** The server's machine code, or a ClientErrorCode. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  /** By which the server's log knows the request. */
  readonly requestId: string | null;
  /** Wait that the server requests. */
  readonly retryAfterMs: number | null;
  /** Of `storeBatch`: what became of the memories before those that failed, in order. */
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
