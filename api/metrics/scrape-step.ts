import { setTimeout as pause } from 'node:timers/promises';

/** A scrape waits no longer for PostgreSQL: what comes later is told by the next one. */
const PATIENCE_MS = 1_000;

/**
 * The step of a scrape that reads from PostgreSQL: one look at a time, since two at once would count the same twice. It never fails: without PostgreSQL the
 * other metrics are still told, and the next look goes on where the last one ended.
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
