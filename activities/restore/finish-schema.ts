import { withSchemaEngine } from '../../prisma/schema-engine.ts';
import { unfinishedMigrations } from '../../stores/postgres/connection/unfinished-migrations.ts';
import { asMaintenance, asOwner, ownerAddress } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';

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
  "UPDATE sessions SET phase = 'active', waiting_reason = NULL WHERE status = 'active' AND phase <> 'cancelled'",
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
