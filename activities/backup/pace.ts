const LOOK_MS = 200;
/** How long a flood is waited for at a time: one without end must not keep backups from being made. */
const LONGEST_MS = 30_000;
/** What is then done before it is waited again. */
const WORK_MS = 2_000;

/** Lets captures go first: resolves at once while no flood of them is shown, looking again five times a second. */
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
    // All files that are being written wait for one look.
    looking ??= calm().finally(() => {
      looking = null;
    });
    await looking;
  };
}
