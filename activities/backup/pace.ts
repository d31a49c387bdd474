const LOOK_MS = 200;
/** Longest wait for the end of a burst: an endless one must not block backups. */
const LONGEST_MS = 30_000;
/** Work between two such waits. */
const WORK_MS = 2_000;

/** Returns a function that resolves at once unless a burst of captures is reported, polled five times a second. */
export function createPace(isBurst: () => Promise<boolean>, signal: AbortSignal): () => Promise<void> {
  let nextPoll = 0;
  const calm = async (): Promise<void> => {
    const deadline = performance.now() + LONGEST_MS;
    while (!signal.aborted && (await isBurst())) {
      if (performance.now() > deadline) {
        nextPoll = performance.now() + WORK_MS;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    nextPoll = performance.now() + LOOK_MS;
  };
  let looking: Promise<void> | null = null;
  return async () => {
    if (performance.now() < nextPoll) return;
    // Concurrent writers share one poll.
    looking ??= calm().finally(() => {
      looking = null;
    });
    await looking;
  };
}
