import type pg from 'pg';
import { z } from 'zod';

/** Of the advisory lock that stands for a flood, in the database's own space of keys. */
const FLOOD_KEY = 5_020_111_201;

/**
 * Shows the other processes that captures come in a flood: a shared advisory lock on a connection of its own, so that the sign of a
 * process that dies goes with it.
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

  /** Puts the sign up or takes it down; nobody waits for it, and without PostgreSQL there is none. */
  show(wanted: boolean): void {
    this.wanted = wanted;
    if (!this.isSettling) this.settled = this.settle();
  }

  /** Takes the sign down; resolves when its connection is given back. */
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
      // The next flood tries again.
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
    await client.query('SELECT pg_advisory_lock_shared($1)', [FLOOD_KEY]);
  }

  private async takeDown(client: pg.PoolClient): Promise<void> {
    await client.query('SELECT pg_advisory_unlock_shared($1)', [FLOOD_KEY]);
    this.holder = null;
    client.removeAllListeners('error');
    client.release();
  }

  /** The connection, and the lock with it, is gone. */
  private drop(error: unknown): void {
    const { holder } = this;
    this.holder = null;
    holder?.release(error instanceof Error ? error : true);
  }
}

const answer = z.array(z.object({ calm: z.boolean() })).length(1);

/** Whether any process shows a flood. One statement, which waits for nobody; two at the same moment see each other as one. */
export async function isBurst(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query('SELECT pg_try_advisory_xact_lock($1) AS calm', [FLOOD_KEY]);
  return !answer.parse(rows).some(({ calm }) => calm);
}

/** How long an answer is good for: a worker begins tens of activities a second. */
const FRESH_MS = 250;

/** Asks whether a flood is shown, once for all that ask at about the same time. */
export function createFloodWatch(pool: pg.Pool): () => Promise<boolean> {
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
