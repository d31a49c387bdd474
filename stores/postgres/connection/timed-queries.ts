import type pg from 'pg';

/** Runs one statement that reads. */
export interface Queries {
  query(statement: pg.QueryConfig): Promise<{ readonly rows: unknown[] }>;
}

/** PostgreSQL ended the statement because its time was over. */
const STATEMENT_ENDED = '57014';

/** Returns true if PostgreSQL itself cancelled a statement that took too long. */
export function tookTooLong(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === STATEMENT_ENDED;
}

/**
 * Reads that PostgreSQL cancels after `ms`, so that an abandoned read releases its connection. Costs one round trip more than a query of the pool.
 * @throws Error for which `tookTooLong` is true
 */
export function timedQueries(pool: pg.Pool, ms: number): Queries {
  return {
    query: async (statement) => {
      const client = await pool.connect();
      const release = (command: 'COMMIT' | 'ROLLBACK'): void => {
        // Nothing was written: the reader need not wait for the end.
        void client.query(command).then(
          () => client.release(),
          () => client.release(true),
        );
      };
      try {
        await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(ms))}`);
        const { rows } = await client.query<Record<string, unknown>>(statement);
        release('COMMIT');
        return { rows };
      } catch (error) {
        release('ROLLBACK');
        throw error;
      }
    },
  };
}
