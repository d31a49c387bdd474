import type pg from 'pg';
import { z } from 'zod';
import type { Manifest } from '../backup/manifest.ts';
import { withSchemaEngine } from '../../prisma/schema-engine.ts';
import {
  asOwner,
  createEmptyDatabase,
  databaseExists,
  asCreator,
  ownerAddress,
  asMaintenance,
} from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { reportProgress } from '../heartbeat.ts';
import { unfinishedMigrations } from '../../stores/postgres/connection/maintenance.ts';

/** Progress of the build, stored in the database being built and dropped by the last step. */
const WORKSPACE = `
  CREATE SCHEMA restoring;
  CREATE TABLE restoring.files (key text PRIMARY KEY, rows bigint NOT NULL, bytes bigint NOT NULL);
  CREATE TABLE restoring.later (n integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, statement text NOT NULL, done boolean NOT NULL DEFAULT false);
  CREATE TABLE restoring.steps (name text PRIMARY KEY, result jsonb NOT NULL DEFAULT '{}');
  GRANT USAGE ON SCHEMA restoring TO recollect_maintenance;
  GRANT SELECT, INSERT ON restoring.files TO recollect_maintenance`;

/** Indexes without a constraint, of ordinary and partitioned tables; indexes of partitions follow their parent's. */
const INDEXES = `
  SELECT format('DROP INDEX %I', c.relname) AS drop,
         replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') AS make
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
   WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND t.relname <> '_prisma_migrations'
     AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
   ORDER BY c.relname`;

/** Row-level security of both tables is lifted during the check: PostgreSQL checks as the owner, from which the policies would hide all rows. */
const FOREIGN_KEYS = `
  SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, k.conname) AS drop,
         concat_ws('; ',
           CASE WHEN t.relforcerowsecurity THEN format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', t.relname) END,
           CASE WHEN r.relforcerowsecurity THEN format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', r.relname) END,
           format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, k.conname, pg_get_constraintdef(k.oid)),
           CASE WHEN t.relforcerowsecurity THEN format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t.relname) END,
           CASE WHEN r.relforcerowsecurity THEN format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', r.relname) END) AS make
    FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
   WHERE k.contype = 'f' AND k.conparentid = 0 AND k.connamespace = 'public'::regnamespace
   ORDER BY t.relname, k.conname`;

const dropRows = z.array(z.object({ drop: z.string(), make: z.string() }));

/** Returns the UTC months, `2026-01`, of a table's rows, from the bounds of its files. */
function monthsOf(files: Manifest['tables'][number]['files']): Set<string> {
  const millisecondsOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  const months = new Set<string>();
  for (const { lowest, above } of files) {
    if (lowest === null || above === null) continue;
    const end = millisecondsOf(above);
    const month = new Date(millisecondsOf(lowest));
    month.setUTCDate(1);
    month.setUTCHours(0, 0, 0, 0);
    for (; month.getTime() < end; month.setUTCMonth(month.getUTCMonth() + 1))
      months.add(month.toISOString().slice(0, 7));
  }
  return months;
}

/** Creates a partition for every month of the backup that the migrations, which create those around today, did not. */
async function createPartitions(owner: pg.Client, manifest: Manifest): Promise<void> {
  for (const { name, files } of manifest.tables) {
    const isParted = await owner.query(
      "SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass($1) AND partstrat = 'r'",
      [name],
    );
    if (isParted.rowCount === 0) continue;
    for (const month of monthsOf(files)) {
      const part = `${name}_${month.replace('-', '_')}`;
      if ((await owner.query('SELECT FROM pg_class WHERE oid = to_regclass($1)', [part])).rowCount === 1) continue;
      const bounds = await owner.query<{ lowest: string; above: string }>(
        `SELECT uuidv7_floor($1::timestamp AT TIME ZONE 'UTC') AS lowest, uuidv7_floor(($1::timestamp + interval '1 month') AT TIME ZONE 'UTC') AS above`,
        [`${month}-01`],
      );
      const { lowest = '', above = '' } = bounds.rows[0] ?? {};
      await owner.query(
        `CREATE TABLE ${owner.escapeIdentifier(part)} PARTITION OF ${owner.escapeIdentifier(name)} FOR VALUES FROM ('${lowest}') TO ('${above}')`,
      );
    }
  }
}

/** Empties tables that migrations filled. Empty tables are skipped: TRUNCATE creates new files for a table and all its indexes. */
async function emptyTables(owner: pg.Client): Promise<void> {
  const { rows: filled } = await owner.query<{ name: string }>(
    `SELECT format('%I', relname) AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> '_prisma_migrations'
        AND (pg_relation_size(oid) > 0 OR EXISTS (SELECT FROM pg_partition_tree(oid) p WHERE pg_relation_size(p.relid) > 0))`,
  );
  if (filled.length > 0) await owner.query(`TRUNCATE ${filled.map(({ name }) => name).join(', ')}`);
}

/** Records and drops every index and foreign key: rows are copied in several times as fast without. */
async function dropForLater(owner: pg.Client): Promise<void> {
  const indexes = dropRows.parse((await owner.query(INDEXES)).rows);
  const foreignKeys = dropRows.parse((await owner.query(FOREIGN_KEYS)).rows);
  for (const { make } of [...indexes, ...foreignKeys])
    await owner.query('INSERT INTO restoring.later (statement) VALUES ($1)', [make]);
  for (const { drop } of [...foreignKeys, ...indexes]) await owner.query(drop);
}

async function isBare(server: RestoreServer, database: string): Promise<boolean> {
  if (!(await asCreator(server, (maker) => databaseExists(maker, database)))) return false;
  return asOwner(server, database, async (owner) => {
    const { rows } = await owner.query<{ there: boolean }>(
      "SELECT to_regclass('restoring.steps') IS NOT NULL AS there",
    );
    return rows[0]?.there === true;
  });
}

/**
 * Creates a database with the backup's migrations, without indexes and foreign keys; the functions of prisma/sql follow with the schema
 * update. A complete one is left as it is, an incomplete one is recreated.
 */
export async function createBareDatabase(server: RestoreServer, database: string, manifest: Manifest): Promise<void> {
  if (await isBare(server, database)) return;
  await createEmptyDatabase(server, database);
  await withSchemaEngine(ownerAddress(server, database), (engine) => engine.deploy(manifest.migrations.at(-1)));
  await asOwner(server, database, async (owner) => {
    await createPartitions(owner, manifest);
    // In one transaction: a workspace marks a complete database.
    await owner.query('BEGIN');
    await owner.query(WORKSPACE);
    await dropForLater(owner);
    await emptyTables(owner);
    await owner.query('COMMIT');
  });
}

/** Limits of one transaction, statements and milliseconds: few log flushes for a small database, little lost to a kill for a large one. */
const TOGETHER = 25;
const TOGETHER_MS = 1_000;

const laterRows = z.array(z.object({ n: z.number(), statement: z.string() }));

/** Creates indexes and foreign keys, validated against every row; resumes after an interrupted attempt. @throws DatabaseError if rows violate one */
export async function createIndexes(server: RestoreServer, database: string, signal: AbortSignal): Promise<void> {
  await asOwner(server, database, async (owner) => {
    await owner.query("SET maintenance_work_mem = '256MB'; SET max_parallel_maintenance_workers = 4");
    const later = laterRows.parse(
      (await owner.query('SELECT n, statement FROM restoring.later WHERE NOT done ORDER BY n')).rows,
    );
    const { rows } = await owner.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // Without this, a cancelled build would run for minutes.
    const end = (): void =>
      void asCreator(server, (maker) => maker.query('SELECT pg_cancel_backend($1)', [rows[0]?.pid])).catch(
        () => undefined,
      );
    signal.addEventListener('abort', end, { once: true });
    try {
      while (later.length > 0) {
        reportProgress(signal);
        const began = performance.now();
        const done: number[] = [];
        await owner.query('BEGIN');
        while (done.length < TOGETHER && performance.now() - began < TOGETHER_MS) {
          const next = later.shift();
          if (next === undefined) break;
          await owner.query(next.statement);
          done.push(next.n);
        }
        await owner.query('UPDATE restoring.later SET done = true WHERE n = ANY ($1)', [done]);
        await owner.query('COMMIT');
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  });
}

/** Runs a step of the build once and returns its stored result on later attempts. */
export async function onceOf<Result extends object>(
  server: RestoreServer,
  database: string,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const known = await asOwner(server, database, (owner) =>
    owner.query<{ result: Result }>('SELECT result FROM restoring.steps WHERE name = $1', [name]),
  );
  const [row] = known.rows;
  if (row !== undefined) return row.result;
  const result = await work();
  await asOwner(server, database, (owner) =>
    owner.query('INSERT INTO restoring.steps (name, result) VALUES ($1, $2)', [name, JSON.stringify(result)]),
  );
  return result;
}

/** Updates schema and functions from the backup's to this version's. Returns the number of migrations applied. */
export async function bringUpToDate(server: RestoreServer, database: string): Promise<number> {
  const unfinished = await asOwner(server, database, unfinishedMigrations);
  const applied = await withSchemaEngine(ownerAddress(server, database), async (engine) => {
    await engine.forgetUnfinished(unfinished);
    return engine.deploy();
  });
  await asOwner(server, database, (owner) => owner.query('SELECT ensure_partitions()'));
  return applied.length;
}

/** Resets state that must not be restored: jobs without workflows, reservations, postponed work. Vectors are settled when they are loaded. */
const RESETS = [
  "UPDATE imports SET state = 'failed', error = 'Interrupted', finished_at = now(), updated_at = now() WHERE state = 'running'",
  "UPDATE exports SET state = 'failed', error = 'Interrupted', finished_at = now(), updated_at = now() WHERE state = 'running'",
  "UPDATE consistency_checks SET state = 'failed', error = 'Interrupted', finished_at = now(), updated_at = now() WHERE state = 'running'",
  "UPDATE retention_runs SET state = 'failed', error = 'Interrupted', finished_at = now() WHERE state = 'running'",
  'DELETE FROM usage_reservations',
  'UPDATE model_batch_calls SET reservation_id = NULL',
  "UPDATE sessions SET phase = 'active', waiting_reason = NULL, hinted_at = NULL WHERE status = 'active' AND phase <> 'cancelled'",
  'UPDATE embedding_indexes SET retry_at = NULL',
];

/** Resets the rows for further work. */
export async function resetRestored(server: RestoreServer, database: string): Promise<void> {
  await asMaintenance(server, database, async (client) => {
    await client.query('BEGIN');
    for (const reset of RESETS) await client.query(reset);
    await client.query('COMMIT');
  });
}

/** Updates planner statistics and the visibility map, which index-only scans need. */
export async function analyzeRestored(server: RestoreServer, database: string): Promise<void> {
  await asOwner(server, database, (owner) => owner.query('ANALYZE'));
}

/** Drops the build's progress tables. */
export async function dropWorkspace(server: RestoreServer, database: string): Promise<void> {
  await asOwner(server, database, (owner) => owner.query('DROP SCHEMA IF EXISTS restoring CASCADE'));
}
