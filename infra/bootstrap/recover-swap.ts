import type pg from 'pg';
import { z } from 'zod';

const pairRows = z.array(z.object({ replaced: z.string() }));

/** A replaced database and the one that was to take its place, by the names that restores give (stores/postgres/backups/restored-database.ts). */
const PAIR = `
  SELECT r.datname AS replaced
    FROM pg_database r JOIN pg_database b ON b.datname = $1 || '_restore_' || substr(r.datname, length($1 || '_replaced_') + 1)
   WHERE starts_with(r.datname, $1 || '_replaced_') AND NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)
   ORDER BY r.oid DESC LIMIT 1`;

/**
 * Gives a database its name back that a restore was killed over between its two renames, and lets people in whom it had shut out. Without that an empty
 * database would be made in its place, and the restore, which then goes on, could not end.
 */
export async function recoverSwap(superuser: pg.ClientBase, databaseName: string): Promise<void> {
  const [pair] = pairRows.parse((await superuser.query(PAIR, [databaseName])).rows);
  const name = superuser.escapeIdentifier(databaseName);
  if (pair !== undefined)
    await superuser.query(`ALTER DATABASE ${superuser.escapeIdentifier(pair.replaced)} RENAME TO ${name}`);
  const shut = await superuser.query('SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn', [databaseName]);
  if (shut.rowCount === 1) await superuser.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
}
