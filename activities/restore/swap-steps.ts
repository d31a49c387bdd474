import { BackupSetError } from '../../domain/backup/set-error.ts';
import { carryOver } from './carry-over.ts';
import { restoreArchivedFiles } from '../backup/archived-files.ts';
import { dropWorkspace } from './finish-schema.ts';
import { asMaintenance, dropBuiltOf, asMaker, restoreNames } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreNames, RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { openDatabases, swapDatabases, swapState, undoSwap } from '../../stores/postgres/backups/swap-databases.ts';
import { indexedTenants, requestMissingVectors } from './vectors-in.ts';
import { liveSessions, openBatches, tenantIndexes } from '../../stores/postgres/sessions/live-work.ts';
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
import { buryAgain } from './erase-again.ts';
import { progressNoter, contextOf, namesOf, setOf, storeOf } from './restore-context.ts';
import type { RestoreDependencies } from './restore-context.ts';
import { loadAndVerify } from './vector-steps.ts';
import type pg from 'pg';

/** Hints at once. */
const AT_ONCE = 16;

const MS = 1_000;

/** Steps that put what was built in the place of the running database, and have the instance go on with it. */
export function swapSteps(
  dependencies: RestoreDependencies,
): Pick<RestoreActivities, 'swapIn' | 'resumeInstance' | 'endRestoreRun'> {
  const { maintenance, vectors, drillVectors, hints, endWorkflows } = dependencies;

  /** While nobody writes: what was indexed of the rows that go, and workflows that know their positions. */
  const removeLeftovers = async (server: RestoreServer, names: RestoreNames, restoreId: string): Promise<void> => {
    const { built, replaced } = names;
    // Once more: until a moment ago somebody could revoke, exclude, hold or erase something.
    await asMaintenance(server, replaced, (from) => asMaintenance(server, built, (into) => carryOver(from, into)));
    await buryAgain({ server, names }, restoreId);
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

  /** Has everything that is in the middle of something be looked at by its workflow; answers how many sessions. */
  const startAgain = async (signal: AbortSignal): Promise<number> => {
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

  /** What vectors are wanted of, by every tenant. */
  const hintIndexes = async (signal: AbortSignal): Promise<void> => {
    for (const tenantId of new Set((await tenantIndexes(maintenance)).map((index) => index.tenantId))) {
      reportProgress(signal);
      await hints.index(tenantId);
      await hints.reindex(tenantId);
    }
  };

  /** After a swap that was given up: workflows may have been ended and vectors dropped, of rows that are the running ones again. */
  const goOnAsBefore = async (signal: AbortSignal): Promise<void> => {
    await startAgain(signal);
    for (const { tenantId, index } of await indexedTenants(maintenance))
      await requestMissingVectors(maintenance, vectors, tenantId, index, signal);
    await hintIndexes(signal);
  };

  return {
    swapIn: ({ restoreId }) =>
      withHeartbeat(async () => {
        const { server, names } = namesOf(dependencies, restoreId);
        // In the middle of it there is no running database that could be asked anything.
        if ((await swapState(server, names)) === 'ready') {
          await openDatabases(server, names);
          await noteRestore(maintenance, restoreId, 'swapping', { result: { replaced: names.replaced } });
          // Once before, while the running database still answers: what cannot be carried over must not be found out in between.
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
        const { work } = await contextOf(dependencies, restoreId);
        await noteRestore(maintenance, restoreId, 'resuming');
        const started = performance.now();
        const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'resuming', { counts }));
        // Sessions first: they are waited for. What they want indexed meanwhile is written beside what is loaded.
        const sessions = await startAgain(signal);
        // The swap is done: a set that cannot be read any more costs its vectors, which are made anew from the texts, and nothing else.
        const set = await setOf(dependencies, work, signal).catch((error: unknown) => {
          if (error instanceof BackupSetError) return null;
          throw error;
        });
        const { archives } = dependencies;
        const files =
          set === null || archives === null
            ? undefined
            : await restoreArchivedFiles(maintenance, archives, storeOf(dependencies, work.address), set.key, signal);
        const loaded = await loadAndVerify(maintenance, vectors, set, note, signal);
        await hintIndexes(signal);
        const seconds = {
          ...work.result?.seconds,
          vectors: Math.round(performance.now() - started) / MS,
          total: Math.round(Date.now() - work.created_at.getTime()) / MS,
        };
        await noteRestore(maintenance, restoreId, 'resuming', {
          counts: { vectors_done: loaded.objects },
          result: { vectors: loaded, ...(files === undefined ? {} : { files }), sessions_resumed: sessions, seconds },
        });
      }),

    endRestoreRun: ({ restoreId, state, error, message }) =>
      withHeartbeat(async (signal) => {
        // An answer that was lost: the row has ended, and another restore or drill may be under way. Without a running database there is no row to ask.
        const known = await readRestoreWork(maintenance, restoreId).catch(() => null);
        if (known !== null && known.state !== 'running') return;
        if (dependencies.server !== null) {
          const { server, names } = namesOf(dependencies, restoreId);
          await undoSwap(server, names);
          // Its own alone: told twice, it must not take away what the next restore is building.
          await dropBuiltOf(server, names);
        }
        const work = await readRestoreWork(maintenance, restoreId);
        if (dependencies.server !== null)
          await dropReplaced(dependencies.server, maintenance, dependencies.replacedDatabaseKeepDays);
        if (work.kind === 'drill') {
          await drillVectors.dropAll();
          if (state === 'completed' && work.set_id !== null) await noteVerified(maintenance, work.set_id);
          if (state === 'failed') await alertDrill(maintenance, restoreId, error ?? 'Unexpected');
          const seconds = { ...work.result?.seconds, total: (Date.now() - work.created_at.getTime()) / MS };
          await noteRestore(maintenance, restoreId, 'vectors', { result: { seconds } });
        }
        if (state !== 'completed' && work.phase === 'swapping') await goOnAsBefore(signal);
        await endRestore(maintenance, restoreId, state, error, message);
      }),
  };
}

/** Somebody is inside: who may not be sent away (insufficient_privilege, object_in_use). */
const STAYS: ReadonlySet<string> = new Set(['42501', '55006']);

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Drops the databases that restores replaced longer ago than so many days: what was erased since is in them still. Databases that no restore of this instance tells of are
 * left alone, and so is one that somebody is connected to who may not be sent away: the next restore or drill comes to it again.
 * Answers how many went.
 */
export async function dropReplaced(server: RestoreServer, maintenance: pg.Pool, keepDays: number): Promise<number> {
  const { running } = restoreNames(server, '');
  const old = (await replacedBefore(maintenance, keepDays)).filter((name) => name.startsWith(`${running}_replaced_`));
  if (old.length === 0) return 0;
  return asMaker(server, async (maker) => {
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
        if (!STAYS.has(sqlState(error) ?? '')) throw error;
      }
    return dropped;
  });
}
