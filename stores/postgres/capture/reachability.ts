import type pg from 'pg';

const EVERY_MS = 1_000;
/** Shorter outages are not recorded: another process of the api may have been reachable. The restart of a killed api takes longer. */
const LEAST_MS = 1_500;

export interface Reachability {
  /** Records the last moment and ends. */
  stop(): Promise<void>;
}

/**
 * Records every second that the api is reachable and can store events; the times between are outages. A sleeping machine is none: only
 * the first record of a process and one after a failed one end an outage.
 */
export function recordReachability(pool: pg.Pool, { everyMs = EVERY_MS, leastMs = LEAST_MS } = {}): Reachability {
  let wasAway = true;
  let running: Promise<void> | null = null;
  const record = async (): Promise<void> => {
    try {
      await pool.query('SELECT record_reachable($1, make_interval(secs => $2))', [wasAway, leastMs / 1_000]);
      wasAway = false;
    } catch {
      wasAway = true; // The next record has the time since the last one.
    }
  };
  const next = (): Promise<void> => {
    running ??= record().finally(() => {
      running = null;
    });
    return running;
  };
  void next();
  const timer = setInterval(() => void next(), everyMs).unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
      await next();
    },
  };
}
