import type { TranscriptCounts } from './counts.ts';
import type { SegmentResult } from './reconcile.ts';

/** A transcript file as found. */
export interface FileState {
  /** Changes if another file replaces it. */
  readonly fingerprint: string;
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** The last position in a file. */
export interface ReadBefore {
  readonly fingerprint: string;
  readonly readOffset: number;
  readonly countedOffset: number;
  readonly sessionId: string | null;
}

/** Where to continue reading a file. */
export interface FileStart {
  /** Another file replaced the one read before: it is read and counted from its start. */
  readonly anew: boolean;
  readonly readOffset: number;
  readonly countedOffset: number;
}

/** A file with its new reading position. */
export interface FileProgress extends FileState {
  readonly readOffset: number;
  readonly countedOffset: number;
  readonly open: boolean;
  readonly sessionId: string | null;
  readonly seenSeq: number;
  /** Counts of this step. */
  readonly counts: TranscriptCounts;
  /** Another file replaced this one: its counts restart. */
  readonly anew: boolean;
}

/** Returns where to continue in a file; its start if it was never read, was replaced, or was truncated. */
export function startOf(file: Pick<FileState, 'fingerprint' | 'size'>, before: ReadBefore | null): FileStart {
  if (before === null) return { anew: false, readOffset: 0, countedOffset: 0 };
  if (before.fingerprint !== file.fingerprint || file.size < before.countedOffset)
    return { anew: true, readOffset: 0, countedOffset: 0 };
  return { anew: false, readOffset: before.readOffset, countedOffset: before.countedOffset };
}

/** Returns the progress after a piece of a file. `atEnd`: nothing follows the piece. */
export function progressAfter(
  { fingerprint, size, modifiedAtMs }: FileState,
  before: ReadBefore | null,
  { nextOffset, countedOffset, open, sessionId, seenSeq, counts }: SegmentResult,
  { atEnd, anew }: { readonly atEnd: boolean; readonly anew: boolean },
): FileProgress {
  return {
    fingerprint,
    // With its full size, a partly read file would count as unchanged and never be completed.
    size: atEnd ? size : Math.min(size, nextOffset),
    modifiedAtMs,
    readOffset: nextOffset,
    countedOffset,
    open,
    sessionId: sessionId ?? before?.sessionId ?? null,
    seenSeq,
    counts,
    anew,
  };
}
