import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/* Loaded into an api process before its own code: answers the longest pause of the event loop since it was asked last. */

const RESOLUTION_MS = 1;

/** How long this thread was ready and had no core, in milliseconds: what else the machine does is no input's. Zero where Linux does not say it. */
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
