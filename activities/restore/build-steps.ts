import { functionsSha256 } from '../../prisma/apply-functions.ts';
import { OVERWRITE_REQUIRED, RestoreError } from '../../domain/backup/sets.ts';
import {
  createBareDatabase,
  createIndexes,
  analyzeRestored,
  bringUpToDate,
  onceOf,
  resetRestored,
} from './bare-schema.ts';
import { hasMemories } from './carry-over.ts';
import { checkForeignKeys, checkQueries, checkTables } from './check-tables.ts';
import { copyIn } from './copy-in.ts';
import { filesOf } from '../backup/read-manifest.ts';
import { readThrough } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { dropBuilt, asCreator } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { noteRestore, openScheduledDrill } from '../../stores/postgres/backups/restores.ts';
import type { RestorePhase } from '../../domain/jobs.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { withHeartbeat, reportProgress } from '../heartbeat.ts';
import { eraseAgain } from './erase-again.ts';
import { progressNoter, contextOf, setOf } from './restore-context.ts';
import type { RestoreContext, RestoreDependencies } from './restore-context.ts';

const POLL_MS = 5_000;

/**
 * Counters of index builds and ANALYZE. Statements without counters (foreign keys, migrations) count as progress while their backend runs and
 * waits for neither a lock nor its client.
 */
const ACTIVITY = `
  SELECT (SELECT string_agg(p.counters, ' ') FROM (
            SELECT b::text AS counters FROM pg_stat_progress_create_index b WHERE b.datname = $1
            UNION ALL SELECT a::text FROM pg_stat_progress_analyze a WHERE a.datname = $1) AS p) AS counters,
         EXISTS (SELECT FROM pg_stat_activity s WHERE s.datname = $1 AND s.state = 'active'
                    AND coalesce(s.wait_event_type, '') NOT IN ('Lock', 'Client')) AS running`;

/** Runs `work`, whose statements have no time limit, and reports progress for as long as PostgreSQL progresses in `database`. */
async function watchDatabase<Result>(
  server: RestoreServer,
  database: string,
  work: () => Promise<Result>,
): Promise<Result> {
  let before: string | null = null;
  const poll = async (): Promise<void> => {
    const { rows } = await asCreator(server, (maker) =>
      maker.query<{ counters: string | null; running: boolean }>(ACTIVITY, [database]),
    );
    const [now] = rows;
    if (now === undefined) return;
    if (now.counters === null ? now.running : now.counters !== before) reportProgress();
    before = now.counters;
  };
  // A failed poll reports nothing; the next one may succeed.
  const timer = setInterval(() => void poll().catch(() => undefined), POLL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

const MEGABYTE = 1_000_000;

const secondsSince = (started: number): number => Math.round(performance.now() - started) / 1_000;

/** Steps that build a database from a backup beside the running one. */
export function buildSteps(
  dependencies: RestoreDependencies,
): Pick<RestoreActivities, 'openDrill' | 'checkSet' | 'copySetIn' | 'indexRestored' | 'verifyRestored'> {
  const { maintenance } = dependencies;

  const stepped = <Result>(
    restoreId: string,
    phase: RestorePhase,
    step: (context: RestoreContext, set: ReadableSet, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> =>
    withHeartbeat(async (signal) => {
      const context = await contextOf(dependencies, restoreId);
      await noteRestore(maintenance, restoreId, phase);
      return step(context, await setOf(dependencies, context.work, signal), signal);
    });

  return {
    openDrill: async () => {
      const restoreId = await openScheduledDrill(maintenance);
      return restoreId === null ? null : { restoreId };
    },

    checkSet: ({ restoreId }) =>
      stepped(restoreId, 'checking', async ({ work, server, names }, set, signal) => {
        // Its start was reported as failed, and another one may be running.
        if (work.state !== 'running') throw new RestoreError('refused', 'the restore has ended');
        const { manifest } = set;
        const files = filesOf(manifest);
        const isFree = work.kind === 'drill' || work.overwrite || !(await hasMemories(maintenance));
        if (!isFree && !work.dry_run) throw new RestoreError('refused', OVERWRITE_REQUIRED);
        await noteRestore(maintenance, restoreId, 'checking', {
          counts: {
            files_total: files.length,
            bytes_total: manifest.tables
              .flatMap((table) => table.files)
              .reduce((sum, file) => sum + file.plainBytes, 0),
            vectors_total: manifest.vectors.reduce((sum, { objects }) => sum + objects, 0),
          },
          result: { snapshot_at: manifest.snapshotAt, recollect_version: manifest.recollectVersion },
        });
        // Leftovers of a killed restore.
        await dropBuilt(server, [names.built]);
        if (work.dry_run) {
          let filesDone = 0;
          const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'checking', { counts }));
          await readThrough(set, files, () => note({ files_done: (filesDone += 1) }), signal);
          await noteRestore(maintenance, restoreId, 'checking', { counts: { files_done: filesDone } });
        }
        return { backupId: manifest.id, dryRun: work.dry_run };
      }),

    copySetIn: ({ restoreId }) =>
      stepped(restoreId, 'copying', async ({ server, names }, set, signal) => {
        const started = performance.now();
        await createBareDatabase(server, names.built, set.manifest);
        const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'copying', { counts }));
        const { files, rows, bytes } = await copyIn(
          server,
          names.built,
          set,
          (progress) => note({ files_done: progress.files, rows_done: progress.rows, bytes_done: progress.bytes }),
          signal,
        );
        await noteRestore(maintenance, restoreId, 'copying', {
          counts: { files_done: files, rows_done: rows, bytes_done: bytes },
          result: { seconds: { copy: secondsSince(started) } },
        });
      }),

    indexRestored: ({ restoreId }) =>
      stepped(restoreId, 'indexing', async ({ work, server, names }, set, signal) => {
        const started = performance.now();
        await watchDatabase(server, names.built, async () => {
          await createIndexes(server, names.built, signal);
          await analyzeRestored(server, names.built);
        });
        const seconds = { ...work.result?.seconds, index: secondsSince(started) };
        const bytes = set.manifest.tables.flatMap(({ files }) => files).reduce((sum, file) => sum + file.plainBytes, 0);
        const built = (seconds.copy ?? 0) + seconds.index;
        await noteRestore(maintenance, restoreId, 'indexing', {
          result: { seconds, mb_per_second: Math.round((bytes / MEGABYTE / Math.max(built, 0.001)) * 10) / 10 },
        });
      }),

    verifyRestored: ({ restoreId }) =>
      stepped(restoreId, 'verifying', async (context, set, signal) => {
        const { work, server, names } = context;
        const { manifest } = set;
        const started = performance.now();
        // Before any change: afterwards the rows differ from the backup's.
        const tables = await onceOf(server, names.built, 'tables', () =>
          checkTables(server, names.built, manifest, signal),
        );
        const foreignKeys = await checkForeignKeys(server, names.built);
        const migrations = await onceOf(server, names.built, 'migrations', async () => ({
          applied: await watchDatabase(server, names.built, () => bringUpToDate(server, names.built)),
        }));
        const queries = await onceOf(server, names.built, 'queries', () => checkQueries(server, names.built, manifest));
        await noteRestore(maintenance, restoreId, 'verifying', {
          result: {
            tables: { ...tables, different: [...tables.different] },
            foreign_keys: foreignKeys,
            queries,
            migrations: migrations.applied,
            seconds: { ...work.result?.seconds, check: secondsSince(started) },
          },
        });
        const [different] = tables.different;
        if (different !== undefined)
          throw new RestoreError('unproved', `${different} differs in the restored database`);
        if (foreignKeys.invalid > 0)
          throw new RestoreError('unproved', 'foreign keys of the restored database are not valid');
        // Another schema or other functions may search differently: all rows were compared, and the result lists the difference.
        const searchesAlike = migrations.applied === 0 && manifest.functions === functionsSha256();
        if (queries.different > 0 && searchesAlike)
          throw new RestoreError(
            'unproved',
            `${queries.different} of ${queries.asked} fixed queries have other results`,
          );
        if (work.kind === 'drill') return;
        const { rows: erasures, journal } = await eraseAgain(dependencies, context, set, signal);
        await resetRestored(server, names.built);
        await noteRestore(maintenance, restoreId, 'verifying', {
          result: { erasures, journal: { ...journal, examples: [...journal.examples] } },
        });
      }),
  };
}
