const BASE_MS = 250;
const LONGEST_BACKOFF_MS = 8_000;

/**
 * How long an answer asks to wait, in milliseconds: `Retry-After` is seconds or a date (RFC 9110, 10.2.3). Null where it says nothing, or
 * nothing that is understood.
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // The platform takes much else for a date.
  const date = /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * The wait before attempt `attempt` (1 is the first repetition), in milliseconds: exponential with full jitter, so that callers that failed
 * together do not come back together. What the server asks for is kept to, with a little jitter on top.
 */
export function waitBeforeMs(attempt: number, askedMs: number | null, random: () => number = Math.random): number {
  if (askedMs !== null) return askedMs + Math.round(random() * BASE_MS);
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
