import { BackupSetError } from '../../domain/backup/sets.ts';
import { carryOver } from './carry-over.ts';
import { restoreArchivedFiles } from '../backup/archived-files.ts';
import { dropWorkspace } from './bare-schema.ts';
import {
  asMaintenance,
  countOnlyReplaced,
  dropBuiltOf,
  asCreator,
  restoreNames,
} from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreNames, RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { openDatabases, swapDatabases, swapState, undoSwap } from '../../stores/postgres/backups/swap-databases.ts';
import { indexedTenants, requestMissingVectors } from './vectors-in.ts';
import { liveSessions, openBatches, tenantIndexes } from '../../stores/postgres/sessions/session-work.ts';
import {
  alertDrill,
  endRestore,
  noteRestore,
  noteVerified,
  readRestoreWork,
  replacedBefore,
} from '../../stores/postgres/backups/restores.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';
import { forgetAgain } from './erase-again.ts';
import { progressNoter, contextOf, namesOf, setOf, storeOf } from './restore-context.ts';
import type { RestoreDependencies } from './restore-context.ts';
import { loadAndVerify } from './vector-steps.ts';
import type pg from 'pg';

/** Hints at once. */
const AT_ONCE = 16;

const MS = 1_000;

/** Steps that swap the built database in and resume the instance. */
export function swapSteps(
  dependencies: RestoreDependencies,
): Pick<RestoreActivities, 'swapIn' | 'resumeInstance' | 'endRestoreRun'> {
  const { maintenance, vectors, drillVectors, hints, endWorkflows } = dependencies;

  /** Removes, while nothing writes, the vectors of replaced rows and workflows that refer to their positions. */
  const removeLeftovers = async (server: RestoreServer, names: RestoreNames, restoreId: string): Promise<void> => {
    const { built, replaced } = names;
    // Once more: revocations, exclusions, legal holds and erasures were possible until now.
    await asMaintenance(server, replaced, (from) => asMaintenance(server, built, (into) => carryOver(from, into)));
    await forgetAgain({ server, names }, restoreId);
    const indexes = [
      ...(await asMaintenance(server, replaced, tenantIndexes)),
      ...(await asMaintenance(server, built, tenantIndexes)),
    ];
    await endWorkflows();
    for (const { tenantId, index } of indexes) {
      reportProgress();
      await vectors.drop(tenantId, index);
    }
  };

  /** Hints the workflows of all work in progress; returns the number of sessions. */
  const resumeWork = async (signal: AbortSignal): Promise<number> => {
    let sessions = 0;
    for await (const page of liveSessions(maintenance)) {
      for (let from = 0; from < page.length; from += AT_ONCE) {
        reportProgress(signal);
        await Promise.all(
          page.slice(from, from + AT_ONCE).map(({ tenantId, sessionId }) => hints.session(tenantId, sessionId)),
        );
      }
      sessions += page.length;
    }
    for (const { tenantId, ...batch } of await openBatches(maintenance)) await hints.modelBatch(tenantId, batch);
    return sessions;
  };

  /** Hints the index workflows of every tenant. */
  const hintIndexes = async (signal: AbortSignal): Promise<void> => {
    for (const tenantId of new Set((await tenantIndexes(maintenance)).map((index) => index.tenantId))) {
      reportProgress(signal);
      await hints.index(tenantId);
      await hints.reindex(tenantId);
    }
  };

  /** After an abandoned swap: workflows may have been ended and vectors dropped of rows that are running again. */
  const resumeAfterFailedSwap = async (signal: AbortSignal): Promise<void> => {
    await resumeWork(signal);
    for (const { tenantId, index } of await indexedTenants(maintenance))
      await requestMissingVectors(maintenance, vectors, tenantId, index, signal);
    await hintIndexes(signal);
  };

  return {
    swapIn: ({ restoreId }) =>
      withHeartbeat(async () => {
        const { server, names } = namesOf(dependencies, restoreId);
        // Between the two renames there is no running database to query.
        if ((await swapState(server, names)) === 'ready') {
          await openDatabases(server, names);
          await noteRestore(maintenance, restoreId, 'swapping', { result: { replaced: names.replaced } });
          // Once before the swap: a failure must show while the running database still answers.
          const from = await maintenance.connect();
          try {
            await asMaintenance(server, names.built, (into) => carryOver(from, into));
          } finally {
            from.release();
          }
          await dropWorkspace(server, names.built);
        }
        await swapDatabases(server, names, () => removeLeftovers(server, names, restoreId));
      }),

    resumeInstance: ({ restoreId }) =>
      withHeartbeat(async (signal) => {
        const { work, server, names } = await contextOf(dependencies, restoreId);
        await noteRestore(maintenance, restoreId, 'resuming');
        const started = performance.now();
        const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'resuming', { counts }));
        // Sessions first: agents wait for them. Their new vectors are written beside the loaded ones.
        const sessions = await resumeWork(signal);
        // The swap is done: if the backup is unreadable by now, all vectors are embedded again.
        const set = await setOf(dependencies, work, signal).catch((error: unknown) => {
          if (error instanceof BackupSetError) return null;
          throw error;
        });
        const { archives } = dependencies;
        const files =
          set === null || archives === null
            ? undefined
            : await restoreArchivedFiles(maintenance, archives, storeOf(dependencies, work.store), set.key, signal);
        const loaded = await loadAndVerify(maintenance, vectors, set, note, signal);
        await hintIndexes(signal);
        // The replaced database may be dropped already.
        const onlyReplaced = await countOnlyReplaced(server, names, new Date(work.result?.snapshot_at ?? '')).catch(
          () => undefined,
        );
        const seconds = {
          ...work.result?.seconds,
          vectors: Math.round(performance.now() - started) / MS,
          total: Math.round(Date.now() - work.created_at.getTime()) / MS,
        };
        await noteRestore(maintenance, restoreId, 'resuming', {
          counts: { vectors_done: loaded.objects },
          result: {
            vectors: loaded,
            ...(files === undefined ? {} : { files }),
            ...(onlyReplaced === undefined ? {} : { only_replaced: onlyReplaced }),
            sessions_resumed: sessions,
            seconds,
          },
        });
      }),

    endRestoreRun: ({ restoreId, state, error, message }) =>
      withHeartbeat(async (signal) => {
        // If the result of an earlier attempt was lost, the row has ended and another restore may be running. Without a running database there is
        // no row.
        const known = await readRestoreWork(maintenance, restoreId).catch(() => null);
        if (known !== null && known.state !== 'running') return;
        if (dependencies.server !== null) {
          const { server, names } = namesOf(dependencies, restoreId);
          await undoSwap(server, names);
          // Its own database alone: a repeated attempt must not drop that of the next restore.
          await dropBuiltOf(server, names);
        }
        const work = await readRestoreWork(maintenance, restoreId);
        if (dependencies.server !== null)
          await dropReplaced(dependencies.server, maintenance, dependencies.replacedDatabaseKeepDays);
        if (work.kind === 'drill') {
          await drillVectors.dropAll();
          if (state === 'completed' && work.backup_id !== null) await noteVerified(maintenance, work.backup_id);
          if (state === 'failed') await alertDrill(maintenance, restoreId, error ?? 'Unexpected');
          const seconds = { ...work.result?.seconds, total: (Date.now() - work.created_at.getTime()) / MS };
          await noteRestore(maintenance, restoreId, 'vectors', { result: { seconds } });
        }
        if (state !== 'completed' && work.phase === 'swapping') await resumeAfterFailedSwap(signal);
        await endRestore(maintenance, restoreId, state, error, message);
      }),
  };
}

/** Another role is connected and cannot be disconnected (insufficient_privilege, object_in_use). */
const STILL_CONNECTED: ReadonlySet<string> = new Set(['42501', '55006']);

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Drops the databases that restores of this instance replaced more than `keepDays` days ago: they still contain what was erased since. A
 * database with connections that cannot be ended is left to the next restore or drill. Returns the number dropped.
 */
export async function dropReplaced(server: RestoreServer, maintenance: pg.Pool, keepDays: number): Promise<number> {
  const { running } = restoreNames(server, '');
  const old = (await replacedBefore(maintenance, keepDays)).filter((name) => name.startsWith(`${running}_replaced_`));
  if (old.length === 0) return 0;
  return asCreator(server, async (maker) => {
    const { rows } = await maker.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1)',
      [old],
    );
    let dropped = 0;
    for (const { name } of rows)
      try {
        await maker.query(`DROP DATABASE IF EXISTS ${maker.escapeIdentifier(name)} WITH (FORCE)`);
        dropped += 1;
      } catch (error) {
        if (!STILL_CONNECTED.has(sqlState(error) ?? '')) throw error;
      }
    return dropped;
  });
}
