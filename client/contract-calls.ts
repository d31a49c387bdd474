/* How the client calls, and what becomes of it. Types alone: the build hands this file on as declarations. */

export interface DependencyHealth {
  readonly status: 'ok' | 'unavailable';
  readonly latency_ms: number | null;
}

export interface Health {
  /** `down`: nothing can be captured. */
  readonly status: 'ok' | 'degraded' | 'down';
  /** Absent in the compact form. */
  readonly dependencies?: Readonly<Record<string, DependencyHealth>>;
}

/** What one call may be given beside its question. */
export interface CallOptions {
  /** Ends the call, its retries included. */
  readonly signal?: AbortSignal | undefined;
  /** Bound of one attempt. */
  readonly timeoutMs?: number | undefined;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
    /** With a stream as body. */
    readonly duplex?: 'half';
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}>;

export interface ClientOptions {
  /** Of the server, as `https://memory.example.org`; '' in a page that the server itself serves. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Bound of one attempt; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first; default 3. */
  readonly retries?: number | undefined;
  /** Longest wait before another attempt, in ms; the client does not retry if the server requests a longer one. Default 30,000. */
  readonly maxRetryWaitMs?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Instead of the platform's. */
  readonly fetch?: Fetch | undefined;
}

/** Codes of the client itself: no response, none in time, aborted by the caller, a response not from Recollect, an invalid call. */
export type ClientErrorCode = 'UNREACHABLE' | 'TIMEOUT' | 'ABORTED' | 'BAD_ANSWER' | 'INVALID_CALL';

export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
  /** Of an ambiguous hash: what it may mean. */
  readonly id?: string;
  readonly type?: string;
  readonly preview?: string;
}
