import path from 'node:path';
import { z } from 'zod';
import type { EventOwner } from '../../domain/capture/event.ts';
import { compileExclusions } from '../../domain/capture/exclusions.ts';
import type { Exclusion } from '../../domain/capture/exclusions.ts';
import type { TenantId } from '../../domain/ids.ts';
import { currentOf } from '../../domain/transcripts/progress.ts';
import type { TranscriptStore } from '../../domain/transcripts/store.ts';
import { allowedFolder, listTranscripts } from '../../stores/files/transcript-folder.ts';
import type { TranscriptFileEntry } from '../../stores/files/transcript-folder.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { readExclusions } from '../../stores/postgres/capture/exclusions.ts';
import { readCursors } from '../../stores/postgres/capture/transcript-files.ts';
import { knownSessions } from '../../stores/postgres/capture/transcripts.ts';
import type { WatchResult } from '../../workflows/imports/types.ts';
import { readTranscriptFile } from './read-file.ts';

/** The row of the file that an attempt was reading, and the offset in it. Null: before the first piece. */
export const readingDetails = z.object({ file: z.string(), offset: z.number() }).nullable();

export interface WatchOptions {
  /** `known`: transcripts of sessions that hooks opened; `all`: every session. */
  readonly mode: 'off' | 'known' | 'all';
  /** Folders that may be read. */
  readonly roots: readonly string[];
  /** A file written more recently waits. */
  readonly quietMs: number;
  /** A session that is idle this long has ended. */
  readonly idleMs: number;
  /** Folders excluded from capture. */
  readonly excludeGlobs: readonly string[];
  /** Owner of the transcripts; null if unknown. */
  readonly owner: () => Promise<EventOwner | null>;
}

export interface Watching {
  readonly database: Database;
  readonly now: () => number;
  readonly storeOf: (owner: EventOwner) => TranscriptStore;
  readonly options: WatchOptions;
  readonly signal: AbortSignal;
  readonly report: (details: z.output<typeof readingDetails>) => void;
}

/** Shorter than the schedule's minute, so that no run is skipped. */
const LOOK_MS = 45_000;

/** Returns the exclusions of a tenant: the instance's and its own. */
export async function excludedFolders(
  database: Database,
  tenantId: TenantId,
  globs: readonly string[],
): Promise<Exclusion | null> {
  return compileExclusions([...globs, ...(await readExclusions(database, tenantId))]);
}

/** Returns the session named by a file's path; null for a sub-agent's file beside its session's. */
function sessionOf(file: string): string | null {
  const folder = path.dirname(file);
  if (path.basename(folder) === 'subagents') return path.basename(path.dirname(folder));
  const stem = path.basename(file, '.jsonl');
  return stem.startsWith('agent-') ? null : stem;
}

/** Returns the files of opened sessions, and sub-agents' files beside them. */
async function ofKnownSessions(
  database: Database,
  owner: EventOwner,
  files: readonly TranscriptFileEntry[],
): Promise<TranscriptFileEntry[]> {
  const named = files.flatMap((file) => sessionOf(file.path) ?? []);
  const known = await knownSessions(database, owner, named);
  const folders = new Set(
    files.filter((file) => known.has(sessionOf(file.path) ?? '')).map((file) => path.dirname(file.path)),
  );
  return files.filter((file) => {
    const session = sessionOf(file.path);
    return session === null ? folders.has(path.dirname(file.path)) : known.has(session);
  });
}

/** Reads new transcript lines. */
export async function watchTranscripts({
  database,
  now,
  storeOf,
  options,
  signal,
  report,
}: Watching): Promise<WatchResult> {
  const owner = await options.owner();
  if (owner === null) return { files: 0, added: 0, late_duplicates: 0 };
  const store = storeOf(owner);
  const excludes = await excludedFolders(database, owner.tenantId, options.excludeGlobs);
  const started = now();
  let files = 0;
  let added = 0;
  let duplicates = 0;
  const counting: TranscriptStore = {
    ...store,
    capture: async (events) => {
      const results = await store.capture(events);
      added += results.filter((result) => result.status === 'accepted').length;
      return results;
    },
    removeDuplicates: async (sessionId, found) => {
      const removed = await store.removeDuplicates(sessionId, found);
      duplicates += removed;
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
    const due = listed.files.filter(
      (file) => currentOf(file, cursors.get(file.path) ?? null, started, options) === 'due',
    );
    for (const file of onlyKnown ? await ofKnownSessions(database, owner, due) : due) {
      if (isTimeUp()) break;
      const outcome = await readTranscriptFile(file.path, {
        database,
        owner: owner,
        store: counting,
        idleMs: options.idleMs,
        now,
        signal,
        importId: null,
        onlyKnown,
        excludes,
        onProgress: (fileId, offset) => report({ file: fileId, offset }),
        isTimeUp,
      });
      if (outcome === 'finished' || outcome === 'unfinished') files += 1;
    }
  }
  return { files, added, late_duplicates: duplicates };
}
