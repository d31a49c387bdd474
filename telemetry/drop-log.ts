import type { Logger } from './logger.ts';

const INTERVAL_MS = 60_000;

/** Returns a function that counts dropped spans and reports them, at most once a minute. */
export function createDropLog(logger: Logger): (count: number) => void {
  let dropped = 0;
  let reportedMs = -Infinity;
  return (count) => {
    dropped += count;
    if (performance.now() - reportedMs < INTERVAL_MS) return;
    logger.warn({ dropped }, 'spans did not reach the collector');
    dropped = 0;
    reportedMs = performance.now();
  };
}
