import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/* Loaded into an API process before its own code: reports the longest pause of the event loop since the last request. */

const RESOLUTION_MS = 1;

/** Milliseconds in which this thread was ready and had no core: the load of the machine is not an effect of the input. Zero if unknown. */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

if (isMainThread) {
  let before = { at: performance.now(), waited: waitedMs() };
  const longest = { pauseMs: 0, withWaitMs: 0 };
  const look = () => {
    const now = { at: performance.now(), waited: waitedMs() };
    const withWaitMs = now.at - before.at;
    longest.pauseMs = Math.max(longest.pauseMs, withWaitMs - (now.waited - before.waited));
    longest.withWaitMs = Math.max(longest.withWaitMs, withWaitMs);
    before = now;
  };
  setInterval(look, RESOLUTION_MS).unref();
  process.on('message', (message) => {
    if (message !== 'longest pause') return;
    look();
    process.send?.(longest);
    Object.assign(longest, { pauseMs: 0, withWaitMs: 0 });
  });
}
