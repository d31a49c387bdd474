import pg from 'pg';
import type { TestDatabase } from '../../../setup/database.ts';
import { writeRows } from '../../../../activities/export-import/write-rows.ts';
import type { PortableScope } from '../../../../stores/postgres/exports/scope-rules.ts';

/** A pool of the maintenance role on a test's database. */
export function maintenancePool(db: TestDatabase): pg.Pool {
  const pool = new pg.Pool({ connectionString: db.url('maintenance'), max: 3 });
  pool.on('error', () => {});
  return pool;
}

/** Everything that is written of a scope, as one text. */
export async function exported(pool: pg.Pool, scope: Omit<PortableScope, 'restrictedOf'>): Promise<string> {
  const client = await pool.connect();
  try {
    const pieces: string[] = [];
    for await (const piece of writeRows(client, { ...scope, restrictedOf: null })) pieces.push(piece);
    return pieces.join('');
  } finally {
    client.release();
  }
}

/** A text as pieces that are cut in the middle of lines. */
export async function* inPieces(text: string, chars = 1_000): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += chars) yield text.slice(from, from + chars);
}
