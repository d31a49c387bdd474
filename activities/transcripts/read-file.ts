import type { EventOwner } from '../../domain/capture/event.ts';
import type { Exclusion } from '../../domain/capture/exclusions.ts';
import { quietFor, progressAfter, startOf } from '../../domain/transcripts/progress.ts';
import { reconcileSegment } from '../../domain/transcripts/reconcile.ts';
import type { TranscriptStore } from '../../domain/transcripts/store.ts';
import { openTranscript } from '../../stores/files/transcript-file.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { readCursor, saveProgress } from '../../stores/postgres/capture/transcript-files.ts';
import { reportProgress } from '../heartbeat.ts';

/** Bytes per read. Grows while no record in it is complete. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Largest read: an incomplete record in it is skipped. */
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

export interface FileReading {
  readonly database: Database;
  readonly owner: EventOwner;
  readonly store: TranscriptStore;
  readonly idleMs: number;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The import; null for the schedule. */
  readonly importId: string | null;
  /** Sessions that no hook has opened are skipped. */
  readonly onlyKnown: boolean;
  /** Folders that are not captured. */
  readonly excludes: Exclusion | null;
  /** Called after every piece. */
  readonly onProgress: (fileId: string, offset: number) => void;
  /** Checked between two pieces. */
  readonly isTimeUp: () => boolean;
}

export type FileOutcome = 'finished' | 'unfinished' | 'unreadable' | 'unknown';

/**
 * Reads the new part of a transcript file and commits the position after each piece. `unfinished`: the time was up. `unknown`: no hook has
 * opened the session, and only known ones are read.
 */
export async function readTranscriptFile(path: string, reading: FileReading): Promise<FileOutcome> {
  const { database, owner, store, signal, importId } = reading;
  const name = { machine: '', path };
  const file = await openTranscript(path);
  if (file === null) return 'unreadable';
  try {
    if (reading.onlyKnown && (await store.readSession(file.session)) === null) return 'unknown';
    const before = await readCursor(database, owner, name);
    const start = startOf(file, before);
    let { readOffset: offset, countedOffset } = start;
    let bytes = SEGMENT_BYTES;
    for (let first = true; ; first = false) {
      reportProgress(signal);
      if (!first && reading.isTimeUp()) return 'unfinished';
      const piece = await file.read(offset, bytes);
      // A file that was truncated meanwhile has less than it had when it was opened.
      const atEnd = piece.length < bytes || offset + piece.length >= file.size;
      const result = await reconcileSegment(
        {
          session: file.session,
          agentId: file.agentId,
          bytes: piece,
          offset,
          countedOffset,
          atEnd,
          quietMs: quietFor(file.modifiedAtMs, reading.now()),
          force: !atEnd && bytes >= MAX_SEGMENT_BYTES,
        },
        store,
        {
          owner,
          source: 'transcript',
          idleMs: reading.idleMs,
          onlyKnown: reading.onlyKnown,
          excludes: reading.excludes,
          signal,
        },
      );
      const progress = progressAfter(file, before, result, { atEnd, anew: start.anew && first });
      const share = importId === null ? null : { id: importId, finished: atEnd };
      reading.onProgress(await saveProgress(database, owner, name, progress, share), result.nextOffset);
      if (atEnd) return 'finished';
      bytes = result.nextOffset > offset ? SEGMENT_BYTES : bytes * 2;
      offset = result.nextOffset;
      countedOffset = result.countedOffset;
    }
  } finally {
    await file.close();
  }
}
