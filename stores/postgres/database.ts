import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import type { TenantId } from '../../domain/ids.ts';
import { PrismaClient } from '../../prisma/generated/client.ts';
import type { Prisma } from '../../prisma/generated/client.ts';
import { createPool } from './pool.ts';
import type { PoolOptions } from './pool.ts';

/** Prisma inside one transaction of one tenant: all it sees and writes is that tenant's. */
export type TenantTransaction = Prisma.TransactionClient;

/** The facade over PostgreSQL. Repositories in this folder take it, or the transaction that it gives. */
export interface Database {
  /** For the raw statements of the hot paths; policies bind it like everything else. */
  readonly pool: pg.Pool;
  /** Runs `work` in a transaction bound to that tenant. No network calls inside: it holds a connection. */
  asTenant<Result>(tenantId: TenantId, work: (transaction: TenantTransaction) => Promise<Result>): Promise<Result>;
  /** Round trip in milliseconds. */
  ping(): Promise<number>;
  close(): Promise<void>;
}

const MAX_WAIT_MS = 10_000;
const TRANSACTION_MS = 30_000;

/** Opens PostgreSQL lazily: the first query connects. */
export function createDatabase(options: PoolOptions): Database {
  const pool = createPool(options);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    asTenant: (tenantId, work) =>
      prisma.$transaction(
        async (transaction) => {
          await transaction.$queryRaw`SELECT set_config('app.tenant_id', ${tenantId}, true)`;
          return work(transaction);
        },
        { maxWait: MAX_WAIT_MS, timeout: TRANSACTION_MS },
      ),
    ping: async () => {
      const started = performance.now();
      await pool.query('SELECT 1');
      return performance.now() - started;
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
