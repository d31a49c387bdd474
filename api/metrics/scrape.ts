import { setTimeout as pause } from 'node:timers/promises';

/** Maximum wait of a scrape for figures, in ms: later results are part of the next scrape. */
const PATIENCE_MS = 120;

/**
 * Returns a function that runs `work`, one run at a time, since two concurrent reads would count twice, and waits for it for at most `patienceMs`. It never
 * fails: without PostgreSQL the other metrics are still exported, and the next read continues where the last one ended.
 */
export function withinPatience(work: () => Promise<void>, patienceMs: number = PATIENCE_MS): () => Promise<void> {
  let running: Promise<void> | null = null;
  return async () => {
    running ??= work()
      .catch(() => undefined)
      .finally(() => {
        running = null;
      });
    await Promise.race([running, pause(patienceMs, undefined, { ref: false })]);
  };
}

/** A read of figures, by its name in the log. */
export interface ScrapeStep {
  readonly name: string;
  readonly read: () => Promise<void>;
}

/**
 * Returns a function that runs reads one after the other, so that a scrape uses one connection of the pool. Ends at the first failure: without PostgreSQL
 * each further one would wait, too. `onFailure` is called when another step fails than the last time; `onRead` after the last step.
 * @throws what a step throws
 */
export function inTurn(
  steps: readonly ScrapeStep[],
  { onFailure, onRead }: { readonly onFailure: (step: string, error: unknown) => void; readonly onRead: () => void },
): () => Promise<void> {
  let failed: string | null = null;
  return async () => {
    for (const { name, read } of steps)
      try {
        await read();
      } catch (error) {
        if (failed !== name) onFailure(name, error);
        failed = name;
        throw error;
      }
    failed = null;
    onRead();
  };
}
