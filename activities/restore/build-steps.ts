import { functionsSha256 } from '../../prisma/apply-functions.ts';
import { RestoreError } from '../../domain/backup/restore-error.ts';
import { makeBareDatabase, makeIndexes } from './bare-schema.ts';
import { holdsMemory } from './carry-over.ts';
import { checkForeignKeys, checkQueries, checkTables } from './check-tables.ts';
import { copyIn } from './copy-in.ts';
import { analyzeRestored, bringUpToDate, onceOf, resetRestored } from './finish-schema.ts';
import { filesOf } from '../backup/read-manifest.ts';
import { readThrough } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { dropBuilt } from '../../stores/postgres/backups/restored-database.ts';
import { noteRestore, openScheduledDrill } from '../../stores/postgres/backups/restores.ts';
import type { RestorePhase } from '../../stores/postgres/backups/restores.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { eraseAgain } from './erase-again.ts';
import { progressNoter } from './progress-noter.ts';
import { contextOf, setOf } from './restore-context.ts';
import type { RestoreContext, RestoreDependencies } from './restore-context.ts';

const MEGABYTE = 1_000_000;

const secondsSince = (started: number): number => Math.round(performance.now() - started) / 1_000;

/** Steps that build a database of a set beside the running one. */
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
        const { manifest } = set;
        const files = filesOf(manifest);
        const isFree = work.kind === 'drill' || work.overwrite || !(await holdsMemory(maintenance));
        if (!isFree && !work.dry_run)
          throw new RestoreError('refused', 'this instance has sessions or learnings: say overwrite to replace them');
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
        // What a restore left that was killed for good.
        await dropBuilt(server, [names.built]);
        if (work.dry_run) {
          let filesDone = 0;
          const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'checking', { counts }));
          await readThrough(set, files, () => note({ files_done: (filesDone += 1) }), signal);
          await noteRestore(maintenance, restoreId, 'checking', { counts: { files_done: filesDone } });
        }
        return { setId: manifest.id, dryRun: work.dry_run };
      }),

    copySetIn: ({ restoreId }) =>
      stepped(restoreId, 'copying', async ({ server, names }, set, signal) => {
        const started = performance.now();
        await makeBareDatabase(server, names.built, set.manifest);
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
        await makeIndexes(server, names.built, signal);
        await analyzeRestored(server, names.built);
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
        // Before anything is changed: afterwards the rows are not the set's any more.
        const tables = await onceOf(server, names.built, 'tables', () =>
          checkTables(server, names.built, manifest, signal),
        );
        const foreignKeys = await checkForeignKeys(server, names.built);
        const migrations = await onceOf(server, names.built, 'migrations', async () => ({
          applied: await bringUpToDate(server, names.built),
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
          throw new RestoreError('unproved', `${different} reads otherwise from the restored database`);
        if (foreignKeys.invalid > 0)
          throw new RestoreError('unproved', 'foreign keys do not hold in what was restored');
        // A set with an older schema or other functions may have another search: every row was compared all the same, and the result has the difference.
        const searchesAlike = migrations.applied === 0 && manifest.functions === functionsSha256();
        if (queries.different > 0 && searchesAlike)
          throw new RestoreError(
            'unproved',
            `${queries.different} of ${queries.asked} fixed queries found something else`,
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
