import { z } from 'zod';
import type pg from 'pg';
import { columnOf } from './rows.ts';

/** Migrations that a killed run began in this database and never finished. The client is the owner's. */
export async function unfinishedMigrations(owner: pg.ClientBase): Promise<string[]> {
  const ledger = await owner.query("SELECT 1 WHERE to_regclass('_prisma_migrations') IS NOT NULL");
  if (ledger.rowCount === 0) return [];
  const rows = await owner.query(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL',
  );
  return columnOf(rows.rows, 'name', z.string());
}
