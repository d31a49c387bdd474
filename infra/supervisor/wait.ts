import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until a condition is true. Returns false after the timeout. Rejects if the signal aborts or the
 * condition throws.
 */
export async function waitUntil(
  condition: () => boolean,
  options: { readonly timeoutMs: number; readonly everyMs?: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await delay(options.everyMs ?? 25, undefined, options.signal ? { signal: options.signal } : {});
  }
  return true;
}
