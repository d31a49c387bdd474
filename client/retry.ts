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
