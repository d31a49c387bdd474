import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaClient } from '../../../prisma/generated/client.ts';
import { tenantTransactions } from './database.ts';
import type { Database, TransactionBounds } from './database.ts';
import { together } from './pool.ts';

/** Transactions of one tenant over a shared pool, such as that of the maintenance role. */
export interface TenantScope extends Pick<Database, 'asTenant'> {
  /** Disconnects Prisma; the pool remains open. */
  close(): Promise<void>;
}

/** A session of a hundred thousand rows is forgotten in one transaction. */
const BOUNDS: TransactionBounds = { maxWait: 30_000, timeout: 300_000 };

/** The repositories of this folder over a pool; where its role is not bound by policies, they see what they name by id. */
export function tenantScopeOf(pool: pg.Pool): TenantScope {
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    asTenant: tenantTransactions(prisma, BOUNDS, 'all'),
    close: () => prisma.$disconnect(),
  };
}

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
 * Reads that PostgreSQL cancels after `ms`, so that an abandoned read releases its connection. One round trip over a pool that pipelines.
 * @throws Error for which `tookTooLong` is true
 */
export function timedQueries(pool: pg.Pool, ms: number): Queries {
  return {
    query: async (statement) => {
      const client = await pool.connect();
      const answers = together(client, () => {
        const begin = client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(ms))}`);
        const read = client.query<Record<string, unknown>>(statement);
        // After a failure this rolls back. Nothing was written: the reader need not wait for the end.
        void client.query('COMMIT').then(
          () => client.release(),
          () => client.release(true),
        );
        return Promise.all([begin, read]);
      });
      const [, { rows }] = await answers;
      return { rows };
    },
  };
}
