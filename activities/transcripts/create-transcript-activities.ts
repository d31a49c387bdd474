import { asId } from '../../domain/ids.ts';
import type { TenantId, UserId, SessionId } from '../../domain/ids.ts';
import type { EventOwner, CaptureEvent, HostEvent } from '../../domain/capture/event.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { currentOf } from '../../domain/transcripts/progress.ts';
import { allowedFolder, listTranscripts } from '../../stores/files/transcript-folder.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { finishImport, readImport, saveImportFiles } from '../../stores/postgres/imports/imports.ts';
import { readCursors } from '../../stores/postgres/capture/transcript-files.ts';
import { createTranscriptStore } from '../../stores/postgres/capture/transcripts.ts';
import type { TranscriptActivities } from '../../workflows/imports/types.ts';
import { resumeWithHeartbeat } from '../heartbeat.ts';
import { readTranscriptFile } from './read-file.ts';
import type { FileOutcome } from './read-file.ts';
import { excludedFolders, readingDetails, watchTranscripts } from './watch.ts';
import type { WatchOptions } from './watch.ts';
import type pg from 'pg';
import { FullValues } from '../../domain/capture/full-values.ts';
import type { SpooledEvent } from '../../domain/capture/full-values.ts';
import type { Captured } from '../../domain/transcripts/store.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { isolateFaulty } from '../../stores/postgres/capture/isolate-faulty.ts';

/** Stores events; isolates those that the database rejects. @throws the error of storage that became unavailable */
async function capture(pool: pg.Pool, events: readonly CaptureEvent[]): Promise<Captured[]> {
  const results = await isolateFaulty(events, (some) => captureEvents(pool, some));
  return results.map((result) => {
    if (result.status === 'failed') throw result.error;
    return result.status === 'refused' ? { status: 'refused', rowId: null, sessionId: null } : result;
  });
}

/**
 * Captures events for a user: redacts and builds them as the API does, stores full values in `objects` (null: none), then hints the sessions'
 * workflows.
 */
export function createTranscriptCapture(
  pool: pg.Pool,
  hints: WorkflowHints,
  owner: EventOwner,
  objects: ObjectStore | null = null,
): (events: readonly HostEvent[]) => Promise<Captured[]> {
  return async (events) => {
    const receivedAt = new Date();
    const fullValues = new FullValues(objects, owner);
    const built: SpooledEvent[] = [];
    for (const event of events) built.push(await fullValues.build(event, receivedAt));
    const results = await capture(
      pool,
      built.map(({ event }) => event),
    );
    await fullValues.settle(built, results);
    const changed = new Set<SessionId>();
    for (const { status, sessionId } of results)
      if (status === 'accepted' && sessionId !== null) changed.add(asId<SessionId>(sessionId));
    for (const sessionId of changed) {
      // Lossy by design: the sweep resends lost hints.
      await hints.session(owner.tenantId, sessionId, { isBackfill: true }).catch(() => undefined);
    }
    return results;
  };
}

export interface TranscriptDependencies {
  readonly database: Database;
  readonly hints: WorkflowHints;
  /** Store of full values; null if none are stored. */
  readonly objects: ObjectStore | null;
  readonly now: () => number;
  readonly watch: WatchOptions;
}

/** Duration of one import step. */
const STEP_MS = 30_000;
/** Minimum interval of an import's progress records. */
const SHOW_MS = 1_000;

/** Reads transcripts on this machine. */
export function createTranscriptActivities(dependencies: TranscriptDependencies): TranscriptActivities {
  const { database, hints, objects, now, watch } = dependencies;

  const storeOf = (owner: EventOwner) =>
    createTranscriptStore(database, owner, createTranscriptCapture(database.pool, hints, owner, objects));

  return {
    readTranscripts: ({ tenantId: tenant, importId }) =>
      resumeWithHeartbeat(readingDetails, null, async (signal, from, report) => {
        const tenantId = asId<TenantId>(tenant);
        const job = await database.asTenant(tenantId, (transaction) => readImport(transaction, importId));
        if (job === null || job.state !== 'running') return { filesTotal: 0, filesDone: 0, more: false };
        const owner: EventOwner = { tenantId, userId: asId<UserId>(job.userId) };
        const started = now();
        const excludes = await excludedFolders(database, tenantId, watch.excludeGlobs);
        // Checked again: the folder may have become a link since the import was requested.
        const allowed = await allowedFolder(job.options.directory, watch.roots);
        const listed =
          'folder' in allowed ? await listTranscripts(allowed.folder, signal) : { files: [], unreadable: 1 };
        const cursors = await readCursors(database, owner, '');
        const statuses = listed.files.map((file) => ({
          file,
          status: currentOf(file, cursors.get(file.path) ?? null, started, watch),
          handled: cursors.get(file.path)?.importId === importId,
        }));
        const due = statuses.filter(({ status }) => status === 'due').map(({ file }) => file);
        // The file that the previous attempt was reading comes first.
        const interrupted = from?.file;
        due.sort(
          (a, b) => Number(cursors.get(b.path)?.id === interrupted) - Number(cursors.get(a.path)?.id === interrupted),
        );
        const counted = {
          files_total: listed.files.length,
          files_done: statuses.filter(({ status, handled }) => handled && status !== 'due').length,
          files_unchanged: statuses.filter(({ status, handled }) => !handled && status === 'unchanged').length,
          files_waiting: statuses.filter(({ status }) => status === 'waiting').length,
          files_unreadable: listed.unreadable,
        };
        let shownAt = -Infinity;
        const show = async (atOnce: boolean) => {
          if (!atOnce && now() - shownAt < SHOW_MS) return;
          shownAt = now();
          await database.asTenant(tenantId, (transaction) => saveImportFiles(transaction, importId, counted));
        };
        await show(true);
        const isTimeUp = () => now() - started >= STEP_MS;
        let more = false;
        for (const file of due) {
          if (isTimeUp()) {
            more = true;
            break;
          }
          const outcome: FileOutcome = await readTranscriptFile(file.path, {
            database,
            owner,
            store: storeOf(owner),
            idleMs: watch.idleMs,
            now,
            signal,
            importId,
            onlyKnown: false,
            excludes,
            onProgress: (fileId, offset) => report({ file: fileId, offset }),
            isTimeUp,
          });
          if (outcome === 'finished') counted.files_done += 1;
          else if (outcome === 'unreadable') counted.files_unreadable += 1;
          else more = true;
          await show(false);
        }
        await show(true);
        return { filesTotal: counted.files_total, filesDone: counted.files_done + counted.files_unchanged, more };
      }),

    async finishImport({ tenantId, importId, state, error }) {
      await database.asTenant(asId<TenantId>(tenantId), (transaction) =>
        finishImport(transaction, importId, state, error),
      );
    },

    watchTranscripts: () =>
      resumeWithHeartbeat(readingDetails, null, (signal, _, report) =>
        watchTranscripts({ database, now, storeOf, options: watch, signal, report }),
      ),
  };
}
