import type { BatchItem, ErrorDetail, Failure } from './contract.ts';

/** An invalid call: a value that JSON cannot represent, an invalid URL or header. Nothing was sent. */
export function invalidCall(cause: unknown): RecollectError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RecollectError(`the call cannot be sent: ${why}`, { status: 0, code: 'INVALID_CALL', cause });
}

/** The server rejected the request or did not respond: the only error that the client rejects with. */
export class RecollectError extends Error implements Required<Omit<Failure, 'cause'>> {
  override readonly name = 'RecollectError';
  readonly status: number;
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
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
