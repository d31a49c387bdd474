/* How the client calls, and what becomes of it. Types alone: the build hands this file on as declarations. */

export interface DependencyHealth {
  readonly status: 'ok' | 'unavailable';
  readonly latency_ms: number | null;
}

export interface Health {
  /** `down`: capture is unavailable. */
  readonly status: 'ok' | 'degraded' | 'down';
  /** Absent in the compact form. */
  readonly dependencies?: Readonly<Record<string, DependencyHealth>>;
}

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call and its retries. */
  readonly signal?: AbortSignal | undefined;
  /** Timeout of one attempt, in ms. */
  readonly timeoutMs?: number | undefined;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
    /** Required with a stream as body. */
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
  /** URL of the server, such as `https://memory.example.org`; '' in a page of the server itself. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Timeout of one attempt, in ms; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first; default 3. */
  readonly retries?: number | undefined;
  /** Longest wait before another attempt, in ms; the client does not retry if the server requests a longer one. Default 30,000. */
  readonly maxRetryWaitMs?: number | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch | undefined;
}

/** Codes of the client itself: no response, none in time, aborted by the caller, a response not from Recollect, an invalid call. */
export type ClientErrorCode = 'UNREACHABLE' | 'TIMEOUT' | 'ABORTED' | 'BAD_ANSWER' | 'INVALID_CALL';

export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
  /** Candidates of an ambiguous hash. */
  readonly id?: string;
  readonly type?: string;
  readonly preview?: string;
}
