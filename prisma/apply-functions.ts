import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { DatabaseAddress } from './migration-adapter.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'sql/functions');
/** Signatures of the functions of the released version, one a line. */
const RELEASED = join(FOLDER, '../released-functions.txt');

/** Names of the functions that processes of the released version call: during an upgrade, and after it was taken back. */
function releasedFunctions(): ReadonlySet<string> {
  return new Set(readFileSync(RELEASED, 'utf8').match(/^\w+/gmu));
}

/** The functions of this version by name, each as its SQL and the note that the applied function carries: SHA-256 of the SQL. */
function knownFunctions(folder: string): Map<string, { readonly sql: string; readonly note: string }> {
  return new Map(
    readdirSync(folder)
      .sort()
      .map((file) => {
        const sql = readFileSync(join(folder, file), 'utf8');
        return [file.replace(/\.sql$/, ''), { sql, note: `sha256:${createHash('sha256').update(sql).digest('hex')}` }];
      }),
  );
}

/** Functions in the database that came from the folder. The note is the function's own comment, so no table records what was applied. */
const APPLIED = `
  SELECT oid::regprocedure::text AS signature, proname AS name, obj_description(oid, 'pg_proc') AS note, prorettype = 'trigger'::regtype AS "isTrigger" FROM pg_proc
   WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') ~ '^sha256:[0-9a-f]{64}$'`;

/** SHA-256 over the functions of this version: two versions with the same value search alike. */
export function functionsSha256(): string {
  const notes = [...knownFunctions(FOLDER)].map(([name, { note }]) => `${name} ${note}\n`);
  return createHash('sha256').update(notes.join('')).digest('hex');
}

/**
 * Brings the functions of prisma/sql/functions into a database with the current tables, in one transaction: drops those whose file changed or is missing,
 * creates the changed and the new ones. A missing one of the released version remains. Returns the names created.
 * @throws Error naming the file that PostgreSQL refused; the database is unchanged then
 */
export async function applyFunctions(
  address: DatabaseAddress,
  folder = FOLDER,
  released = releasedFunctions(),
): Promise<readonly string[]> {
  const owner = new pg.Client({ ...address });
  // A connection that is lost between two queries fails the next one.
  owner.on('error', () => undefined);
  await owner.connect();
  try {
    await owner.query('BEGIN');
    await owner.query("SELECT pg_advisory_xact_lock(hashtext('recollect.functions'))");
    const known = knownFunctions(folder);
    const applied = await owner.query<{ signature: string; name: string; note: string; isTrigger: boolean }>(APPLIED);
    for (const { signature, name, note, isTrigger } of applied.rows) {
      if (known.get(name)?.note === note) known.delete(name);
      // The file of a trigger's function creates its triggers, too.
      else if (known.has(name) || !released.has(name))
        await owner.query(`DROP FUNCTION ${signature}${isTrigger ? ' CASCADE' : ''}`);
    }
    if (known.size > 0) {
      // Bodies name functions that come later. A function's new owner needs the right to create in the schema for that moment.
      await owner.query('SET LOCAL check_function_bodies = off; GRANT CREATE ON SCHEMA public TO recollect_definer');
      for (const [name, { sql, note }] of known)
        await owner.query(`${sql}\nCOMMENT ON FUNCTION ${name} IS '${note}'`).catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(`prisma/sql/functions/${name}.sql was refused: ${reason}`, { cause: error });
        });
      await owner.query('REVOKE CREATE ON SCHEMA public FROM recollect_definer');
    }
    await owner.query('COMMIT');
    return [...known.keys()];
  } finally {
    // Without COMMIT the transaction ends with the connection.
    await owner.end();
  }
}
