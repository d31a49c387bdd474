import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/* Loaded into an api process before its own code: answers the longest pause of the event loop since it was asked last. */

const RESOLUTION_MS = 1;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on('message', (message) => {
    if (message !== 'longest pause') return;
    process.send?.({ longestPauseMs: delay.max / 1e6 });
    delay.reset();
  });
}
