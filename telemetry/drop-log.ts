import type { Counter } from 'prom-client';
import type { Logger } from './logger.ts';

const INTERVAL_MS = 60_000;

/** Returns a function that counts dropped spans, and reports them at most once a minute. */
export function createDropLog(logger: Logger, counter: Counter): (count: number) => void {
  let dropped = 0;
  let reportedMs = -Infinity;
  return (count) => {
    counter.inc(count);
    dropped += count;
    if (performance.now() - reportedMs < INTERVAL_MS) return;
    logger.warn({ dropped }, 'spans did not reach the collector');
    dropped = 0;
    reportedMs = performance.now();
  };
}
