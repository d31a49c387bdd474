import { CodedError } from '../coded-error.ts';
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';

export class DownloadError extends CodedError<
  'unreachable' | 'status' | 'checksum' | 'truncated' | 'too-large' | 'stalled' | 'aborted'
> {
  override readonly name = 'DownloadError';
}

export interface DownloadOptions {
  readonly url: string;
  readonly file: string;
  /** Lower-case hexadecimal. A file with another hash is removed. */
  readonly sha256: string;
  readonly maxBytes: number;
  /** Timeout to the first byte; short for machines without network. */
  readonly connectTimeoutMs?: number;
  /** Longest pause within the response. */
  readonly stallTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Total is null if the server does not send it. */
  readonly onProgress?: ((bytes: number, totalBytes: number | null) => void) | undefined;
}

const CONNECT_TIMEOUT_MS = 4000;
const STALL_TIMEOUT_MS = 20_000;
const MAX_TEXT_BYTES = 1024 * 1024;

/**
 * Downloads to a file and verifies size and SHA-256. The file exists afterwards only if verified.
 * Rejects with DownloadError.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const hash = createHash('sha256');
  const handle = await open(options.file, 'wx', 0o600);
  let complete = false;
  try {
    await receive(options, async (chunk) => {
      hash.update(chunk);
      await handle.write(chunk);
    });
    const actual = hash.digest('hex');
    if (actual !== options.sha256) {
      throw new DownloadError('checksum', `${options.url} has SHA-256 ${actual}, expected ${options.sha256}`);
    }
    await handle.sync();
    complete = true;
  } finally {
    await handle.close();
    if (!complete) await rm(options.file, { force: true });
  }
}

/** Downloads a small text. Rejects with DownloadError. */
export async function downloadText(options: Omit<DownloadOptions, 'file' | 'sha256' | 'maxBytes'>): Promise<string> {
  const chunks: Uint8Array[] = [];
  await receive({ ...options, maxBytes: MAX_TEXT_BYTES }, (chunk) => {
    chunks.push(chunk);
    return Promise.resolve();
  });
  return Buffer.concat(chunks).toString('utf8');
}

async function receive(
  options: Omit<DownloadOptions, 'file' | 'sha256'>,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const { url, signal } = options;
  const watchdog = new Watchdog(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  const stop = signal ? AbortSignal.any([signal, watchdog.signal]) : watchdog.signal;
  let phase: 'unreachable' | 'stalled' | 'truncated' = 'unreachable';
  try {
    // Compression would make Content-Length differ from the content's size.
    const response = await fetch(url, { signal: stop, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok || !response.body) throw new DownloadError('status', `${url} answers ${response.status}`);
    phase = 'truncated';
    const total = announcedBytes(response);
    if (total !== null && total > options.maxBytes) throw tooLarge(options);
    let bytes = 0;
    watchdog.expectWithin(options.stallTimeoutMs ?? STALL_TIMEOUT_MS);
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > options.maxBytes) throw tooLarge(options);
      await write(chunk);
      options.onProgress?.(bytes, total);
      watchdog.expectWithin(options.stallTimeoutMs ?? STALL_TIMEOUT_MS);
    }
    if (total !== null && bytes !== total)
      throw new DownloadError('truncated', `${url} ended after ${bytes} of ${total} bytes`);
  } catch (error) {
    throw explain(error, url, phase, { aborted: signal?.aborted ?? false, late: watchdog.signal.aborted });
  } finally {
    watchdog.end();
  }
}

function announcedBytes(response: Response): number | null {
  const header = response.headers.get('content-length');
  const bytes = header === null ? Number.NaN : Number(header);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : null;
}

function tooLarge(options: { readonly url: string; readonly maxBytes: number }): DownloadError {
  return new DownloadError('too-large', `${options.url} is larger than ${options.maxBytes} bytes`);
}

function explain(
  error: unknown,
  url: string,
  phase: 'unreachable' | 'stalled' | 'truncated',
  why: { readonly aborted: boolean; readonly late: boolean },
): DownloadError {
  if (error instanceof DownloadError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  const detail = cause || (error instanceof Error ? error.message : String(error));
  if (why.aborted) return new DownloadError('aborted', 'stopped', { cause: error });
  if (why.late) {
    const code = phase === 'unreachable' ? 'unreachable' : 'stalled';
    return new DownloadError(code, `${url} ${code === 'unreachable' ? 'timed out' : 'stopped sending'}`, {
      cause: error,
    });
  }
  const text = phase === 'unreachable' ? 'is unreachable' : 'aborted';
  return new DownloadError(phase, `${url} ${text} (${detail})`, { cause: error });
}

/** Aborts after a timeout. */
class Watchdog {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.#timer = setTimeout(() => this.#controller.abort(), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expectWithin(timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), timeoutMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
