import type pg from 'pg';
import { z } from 'zod';

/** Key of the advisory lock, in the database's own key space. */
const BURST_KEY = 5_020_111_201;

/**
 * Shows a capture burst to the other processes: a shared advisory lock on a connection of its own, so that the lock ends with its
 * process.
 */
export class BurstFlag {
  private readonly pool: pg.Pool;
  private readonly onFailure: (error: unknown) => void;
  private wanted = false;
  private holder: pg.PoolClient | null = null;
  private isSettling = false;
  private settled: Promise<void> = Promise.resolve();

  constructor(pool: pg.Pool, onFailure: (error: unknown) => void) {
    this.pool = pool;
    this.onFailure = onFailure;
  }

  /** Sets or clears the flag without waiting; does nothing if PostgreSQL is unavailable. */
  show(wanted: boolean): void {
    this.wanted = wanted;
    if (!this.isSettling) this.settled = this.settle();
  }

  /** Clears the flag; resolves when its connection is released. */
  async close(): Promise<void> {
    this.show(false);
    await this.settled;
  }

  private async settle(): Promise<void> {
    this.isSettling = true;
    try {
      while (this.wanted !== (this.holder !== null)) {
        if (this.holder === null) await this.putUp();
        else await this.takeDown(this.holder);
      }
    } catch (error) {
      // The next burst retries.
      this.drop(error);
      this.onFailure(error);
    } finally {
      this.isSettling = false;
    }
  }

  private async putUp(): Promise<void> {
    const client = await this.pool.connect();
    this.holder = client;
    client.on('error', (error) => this.drop(error));
    await client.query('SELECT pg_advisory_lock_shared($1)', [BURST_KEY]);
  }

  private async takeDown(client: pg.PoolClient): Promise<void> {
    await client.query('SELECT pg_advisory_unlock_shared($1)', [BURST_KEY]);
    this.holder = null;
    client.removeAllListeners('error');
    client.release();
  }

  /** The connection and its lock are lost. */
  private drop(error: unknown): void {
    const { holder } = this;
    this.holder = null;
    holder?.release(error instanceof Error ? error : true);
  }
}

const answer = z.array(z.object({ calm: z.boolean() })).length(1);

/** Returns true if any process shows a burst. Does not wait; two concurrent callers can each see the other as a burst. */
export async function isBurst(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query('SELECT pg_try_advisory_xact_lock($1) AS calm', [BURST_KEY]);
  return !answer.parse(rows).some(({ calm }) => calm);
}

/** Lifetime of a result: a worker starts tens of activities a second. */
const FRESH_MS = 250;

/** Returns whether a burst is shown; concurrent callers share one query. */
export function createBurstWatch(pool: pg.Pool): () => Promise<boolean> {
  let answered: Promise<boolean> | null = null;
  let atMs = 0;
  return () => {
    const now = performance.now();
    if (answered === null || now - atMs > FRESH_MS) {
      atMs = now;
      answered = isBurst(pool);
    }
    return answered;
  };
}
