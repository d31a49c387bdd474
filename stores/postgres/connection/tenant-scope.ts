import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaClient } from '../../../prisma/generated/client.ts';
import { tenantTransactions } from './database.ts';
import type { Database, TransactionBounds } from './database.ts';

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
    asTenant: tenantTransactions(prisma, BOUNDS),
    close: () => prisma.$disconnect(),
  };
}
