import type pg from 'pg';
import { z } from 'zod';

const pairRows = z.array(z.object({ replaced: z.string() }));

/** Names of a replaced and a restored database (stores/postgres/backups/restored-database.ts). */
const PAIR = `
  SELECT r.datname AS replaced
    FROM pg_database r JOIN pg_database b ON b.datname = $1 || '_restore_' || substr(r.datname, length($1 || '_replaced_') + 1)
   WHERE starts_with(r.datname, $1 || '_replaced_') AND NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)
   ORDER BY r.oid DESC LIMIT 1`;

/**
 * Restores the name and the connections of a database if a restore was killed between its two renames. Without it the start would create
 * an empty database, and the resumed restore would fail.
 */
export async function recoverSwap(superuser: pg.ClientBase, databaseName: string): Promise<void> {
  const [pair] = pairRows.parse((await superuser.query(PAIR, [databaseName])).rows);
  const name = superuser.escapeIdentifier(databaseName);
  if (pair !== undefined)
    await superuser.query(`ALTER DATABASE ${superuser.escapeIdentifier(pair.replaced)} RENAME TO ${name}`);
  const shut = await superuser.query('SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn', [databaseName]);
  if (shut.rowCount === 1) await superuser.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
}
