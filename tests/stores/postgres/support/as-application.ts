import type pg from 'pg';
import type { TestDatabase } from '../../../setup/database.ts';

/**
 * Runs statements as the application in one transaction of a tenant, and rolls it back. `viewer`: whose private rows are visible, `*` for all; null: not
 * set.
 */
export async function asApplication<Result>(
  db: TestDatabase,
  tenantId: string | null,
  viewer: string | null,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await db.database.pool.connect();
  try {
    await client.query('BEGIN');
    if (tenantId !== null) await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId]);
    if (viewer !== null) await client.query("SELECT set_config('app.user_id', $1, true)", [viewer]);
    return await work(client);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}
