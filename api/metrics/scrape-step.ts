import { setTimeout as pause } from 'node:timers/promises';

/** Maximum wait of a scrape for PostgreSQL, in ms: later results are part of the next scrape. */
const PATIENCE_MS = 1_000;

/**
 * Returns the step of a scrape that reads from PostgreSQL: one read at a time, since two concurrent ones would count twice. It never fails: without
 * PostgreSQL the other metrics are still exported, and the next read continues where the last one ended.
 */
export function scrapeStep(look: () => Promise<void>): () => Promise<void> {
  let looking: Promise<void> | null = null;
  return async () => {
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = null;
      });
    await Promise.race([looking, pause(PATIENCE_MS, undefined, { ref: false })]);
  };
}
