import type { CallOptions, ClientOptions, ErrorDetail, Fetch } from './contract.ts';
import { invalidCall, RecollectError } from './recollect-error.ts';

const BASE_MS = 250;
const LONGEST_BACKOFF_MS = 8_000;

/**
 * Returns the wait that a response requests, in milliseconds: `Retry-After` is seconds or a date (RFC 9110, 10.2.3). Null if the header is
 * absent or invalid.
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // The platform accepts many other formats as dates.
  const date = /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * Returns the wait before attempt `attempt` (1 is the first repetition), in milliseconds: exponential with full jitter, so that callers that failed
 * together do not retry together. A wait requested by the server is the minimum, with a little jitter added.
 */
export function waitBeforeMs(attempt: number, requestedMs: number | null, random: () => number = Math.random): number {
  if (requestedMs !== null) return requestedMs + Math.round(random() * BASE_MS);
  return Math.round(random() * Math.min(LONGEST_BACKOFF_MS, BASE_MS * 2 ** (attempt - 1)));
}

/** Resolves after so many milliseconds, or at once when the signal is aborted. */
export function waited(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

const TIMEOUT_MS = 30_000;
const RETRIES = 3;
const MAX_RETRY_WAIT_MS = 30_000;
const BASE_PATH = '/api/v1';
/** Statuses after which the client retries. */
const AGAIN: ReadonlySet<number> = new Set([429, 503]);

type QueryValue = string | number | boolean | readonly string[] | undefined;

/** One request to a route under `/api/v1`. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Encoded path with leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged, with the content type of `headers`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether the request is idempotent. */
  readonly repeatable: boolean;
  /** Further statuses that count as success. */
  readonly accepts?: readonly number[];
}

/** An encoded request, the same for each attempt. */
interface Prepared {
  readonly url: string;
  readonly init: Omit<Parameters<Fetch>[1], 'signal'>;
}

type FetchedResponse = Awaited<ReturnType<Fetch>>;

interface Attempt {
  readonly status: number;
  readonly text: string;
  readonly requestId: string | null;
  readonly retryAfter: string | null;
}

/** Returns the query string, without undefined values and empty lists; joins lists by commas. */
function queryOf(values: Readonly<Record<string, QueryValue>> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && !(typeof value === 'object' && value.length === 0))
      query.set(name, typeof value === 'object' ? value.join(',') : String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses a JSON object; null if it is none. The fields are not validated: the only place that trusts the API's description. */
function parseObject<Answer extends object>(text: string): Answer | null {
  try {
    const value: Answer = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null; // A proxy's page or a truncated response: the caller reports it.
  }
}

function isStream(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'getReader' in value;
}

async function textOfResponse(response: FetchedResponse): Promise<Attempt> {
  return {
    status: response.status,
    text: await response.text(),
    requestId: response.headers.get('x-request-id'),
    retryAfter: response.headers.get('retry-after'),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function detailsOf(value: unknown): ErrorDetail[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((detail) => ({
    ...detail,
    field: textOf(detail['field']) ?? '',
    message: textOf(detail['message']) ?? '',
  }));
}

/** Sends requests with timeouts and retries, and converts every failure to a RecollectError. */
export class Requester {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #maxWaitMs: number;

  constructor(options: ClientOptions) {
    this.#base = `${options.url.replace(/\/+$/, '')}${BASE_PATH}`;
    this.#headers = {
      accept: 'application/json',
      ...(options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }),
      ...options.headers,
    };
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#retries = options.retries ?? RETRIES;
    this.#maxWaitMs = options.maxRetryWaitMs ?? MAX_RETRY_WAIT_MS;
  }

  /**
   * Returns the server's response. Checks only that it is a JSON object; its shape is trusted.
   * @throws RecollectError
   */
  async send<Answer extends object>(request: Request, call: CallOptions = {}): Promise<Answer> {
    const prepared = this.#prepared(request);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return this.#answerOf<Answer>(request, await this.#attempt(prepared, call, textOfResponse));
      } catch (error) {
        const waitMs = this.#waitMs(error, request, attempt);
        if (waitMs === null) throw error;
        await waited(waitMs, call.signal);
        throwIfAborted(call.signal);
      }
    }
  }

  /** Returns the wait before the next attempt, in ms; null for no retry. */
  #waitMs(error: unknown, { repeatable }: Request, attempt: number): number | null {
    if (!(error instanceof RecollectError) || !repeatable || attempt > this.#retries) return null;
    // No retry after a timeout.
    if (!AGAIN.has(error.status) && error.code !== 'UNREACHABLE') return null;
    const waitMs = waitBeforeMs(attempt, error.retryAfterMs);
    return waitMs > this.#maxWaitMs ? null : waitMs;
  }

  /** Throws for an invalid call before the first attempt: it would fail each time. */
  #prepared({ method, path, query, body, raw, headers: own }: Request): Prepared {
    try {
      const headers = {
        ...this.#headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...own,
      };
      // Both throw if fetch would.
      if (!this.#base.startsWith('/')) void new URL(this.#base);
      void new Headers(headers);
      const content = body === undefined ? raw : JSON.stringify(body);
      const sent =
        content === undefined ? {} : { body: content, ...(isStream(content) && { duplex: 'half' as const }) };
      return { url: `${this.#base}${path}${queryOf(query)}`, init: { method, headers, ...sent } };
    } catch (cause) {
      throw invalidCall(cause);
    }
  }

  /** Sends a request once and reads its response within the timeout. */
  async #attempt<Result>(
    { url, init }: Prepared,
    { signal, timeoutMs }: CallOptions,
    read: (response: FetchedResponse) => Promise<Result>,
  ): Promise<Result> {
    throwIfAborted(signal);
    const controller = new AbortController();
    const onAbort = (): void => controller.abort();
    const boundMs = timeoutMs ?? this.#timeoutMs;
    const late = new Error('late');
    const timer = boundMs === Infinity ? undefined : setTimeout(() => controller.abort(late), boundMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await read(await this.#fetch(url, { ...init, headers: { ...init.headers }, signal: controller.signal }));
    } catch (cause) {
      throwIfAborted(signal);
      const where = this.#base.slice(0, -BASE_PATH.length) || 'the server';
      throw controller.signal.reason === late
        ? new RecollectError(`${where} did not answer within ${boundMs} ms`, { status: 0, code: 'TIMEOUT', cause })
        : new RecollectError(`${where} is unreachable`, { status: 0, code: 'UNREACHABLE', cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Returns the body of an answer as a stream, without retries. The time limit and the signal apply until the body begins. @throws RecollectError */
  async download(
    path: string,
    { query, headers }: Pick<Request, 'query' | 'headers'> = {},
    call: CallOptions = { timeoutMs: Infinity },
  ): Promise<ReadableStream<Uint8Array>> {
    const request: Request = { method: 'GET', path, query, headers, repeatable: false };
    const response = await this.#attempt(this.#prepared(request), call, async (fetched) => fetched);
    if (response.ok && response.body !== undefined && response.body !== null) return response.body;
    return this.#answerOf<never>(request, await textOfResponse(response));
  }

  #answerOf<Answer extends object>({ accepts = [] }: Request, attempt: Attempt): Answer {
    const { status, text, requestId, retryAfter } = attempt;
    if ((status >= 200 && status < 300) || accepts.includes(status)) {
      const answer = parseObject<Answer>(text === '' ? '{}' : text);
      if (answer !== null) return answer;
    }
    const fields = parseObject<Readonly<Record<string, unknown>>>(text) ?? {};
    throw new RecollectError(
      textOf(fields['error']) ?? `the server responded ${status} with a body that is not of Recollect`,
      {
        status,
        code: textOf(fields['code']) ?? 'BAD_ANSWER',
        details: detailsOf(fields['details']),
        requestId: textOf(fields['request_id']) ?? requestId,
        retryAfterMs: retryAfterMs(retryAfter, Date.now()),
      },
    );
  }
}

/** @throws RecollectError ABORTED */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new RecollectError('the call was aborted', { status: 0, code: 'ABORTED', cause: signal.reason });
}
