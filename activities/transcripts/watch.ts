import path from 'node:path';
import type { EventOwner } from '../../domain/capture/event.ts';
import { compileExclusions } from '../../domain/capture/exclusions.ts';
import type { Exclusion } from '../../domain/capture/exclusions.ts';
import type { TenantId } from '../../domain/ids.ts';
import { currentOf } from '../../domain/transcripts/due.ts';
import { removeLateDuplicates } from '../../domain/transcripts/settle.ts';
import type { TranscriptStore } from '../../domain/transcripts/store.ts';
import { allowedFolder, listTranscripts } from '../../stores/files/transcript-folder.ts';
import type { TranscriptFileEntry } from '../../stores/files/transcript-folder.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { readExclusions } from '../../stores/postgres/capture/exclusions.ts';
import { readCursors, saveSeen, sessionsWithLateRows } from '../../stores/postgres/capture/transcript-files.ts';
import { knownSessions } from '../../stores/postgres/capture/transcripts.ts';
import type { WatchResult } from '../../workflows/transcripts/types.ts';
import type { ReadingDetails } from './heartbeat.ts';
import { readTranscriptFile } from './read-file.ts';

export interface WatchOptions {
  /** `known`: transcripts of sessions that hooks opened; `all`: every session. */
  readonly mode: 'off' | 'known' | 'all';
  /** Folders that may be read. */
  readonly roots: readonly string[];
  /** A file that was written to less long ago waits. */
  readonly quietMs: number;
  /** A session that is quiet for so long is over. */
  readonly idleMs: number;
  /** Folders that nobody's capture stores. */
  readonly excludeGlobs: readonly string[];
  /** Whose transcripts these are; null where nobody's are known. */
  readonly owner: () => Promise<EventOwner | null>;
}

export interface Watching {
  readonly database: Database;
  readonly now: () => number;
  readonly storeOf: (capturer: EventOwner) => TranscriptStore;
  readonly options: WatchOptions;
  readonly signal: AbortSignal;
  readonly tell: (details: ReadingDetails) => void;
}

/** Shorter than the schedule's minute, so that no look is left out. */
const LOOK_MS = 45_000;
/** Sessions of one look that may be doubled by late deliveries. */
const MAX_LATE = 500;

/** What is not captured of a tenant: the instance's folders and its own. */
export async function excludedFolders(
  database: Database,
  tenantId: TenantId,
  globs: readonly string[],
): Promise<Exclusion | null> {
  return compileExclusions([...globs, ...(await readExclusions(database, tenantId))]);
}

/** The session that a file's place names; null for a sub-agent's file that lies beside its session's. */
function sessionOf(file: string): string | null {
  const folder = path.dirname(file);
  if (path.basename(folder) === 'subagents') return path.basename(path.dirname(folder));
  const stem = path.basename(file, '.jsonl');
  return stem.startsWith('agent-') ? null : stem;
}

/** Files of sessions that were opened. A sub-agent's file of unknown session is kept where such a session's transcript lies beside it. */
async function ofKnownSessions(
  database: Database,
  capturer: EventOwner,
  files: readonly TranscriptFileEntry[],
): Promise<TranscriptFileEntry[]> {
  const named = files.flatMap((file) => sessionOf(file.path) ?? []);
  const known = await knownSessions(database, capturer, named);
  const folders = new Set(
    files.filter((file) => known.has(sessionOf(file.path) ?? '')).map((file) => path.dirname(file.path)),
  );
  return files.filter((file) => {
    const session = sessionOf(file.path);
    return session === null ? folders.has(path.dirname(file.path)) : known.has(session);
  });
}

/** Reads what was written since the last look, then takes out what late deliveries doubled. */
export async function watchTranscripts({
  database,
  now,
  storeOf,
  options,
  signal,
  tell,
}: Watching): Promise<WatchResult> {
  const owner = await options.owner();
  if (owner === null) return { files: 0, added: 0, late_duplicates: 0 };
  const store = storeOf(owner);
  const excludes = await excludedFolders(database, owner.tenantId, options.excludeGlobs);
  const started = now();
  let files = 0;
  let added = 0;
  let doubles = 0;
  const counting: TranscriptStore = {
    ...store,
    capture: async (events) => {
      const results = await store.capture(events);
      added += results.filter((result) => result.status === 'accepted').length;
      return results;
    },
    removeDuplicates: async (sessionId, found) => {
      const removed = await store.removeDuplicates(sessionId, found);
      doubles += removed;
      return removed;
    },
  };
  const onlyKnown = options.mode !== 'all';
  const isTimeUp = () => now() - started >= LOOK_MS;
  for (const root of options.mode === 'off' ? [] : options.roots) {
    const allowed = await allowedFolder(root, [root]);
    if (!('folder' in allowed)) continue;
    const listed = await listTranscripts(allowed.folder, signal);
    const cursors = await readCursors(database, owner, '');
    const standing = listed.files.filter(
      (file) => currentOf(file, cursors.get(file.path) ?? null, started, options) === 'due',
    );
    for (const file of onlyKnown ? await ofKnownSessions(database, owner, standing) : standing) {
      if (isTimeUp()) break;
      const outcome = await readTranscriptFile(file.path, {
        database,
        capturer: owner,
        store: counting,
        idleMs: options.idleMs,
        now,
        signal,
        importId: null,
        onlyKnown,
        excludes,
        onProgress: (fileId, offset) => tell({ file: fileId, offset }),
        isTimeUp,
      });
      if (outcome === 'finished' || outcome === 'unfinished') files += 1;
    }
  }
  for (const late of await sessionsWithLateRows(database, owner, MAX_LATE)) {
    signal.throwIfAborted();
    const { stored } = await removeLateDuplicates(late.externalId, counting);
    await saveSeen(database, owner, late.sessionId, stored?.lastSeq ?? 0);
  }
  return { files, added, late_duplicates: doubles };
}
