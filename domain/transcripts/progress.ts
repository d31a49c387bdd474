import type { TranscriptCounts } from './counts.ts';
import type { SegmentResult } from './reconcile.ts';

/** A transcript file as it is found. */
export interface FileState {
  /** Another file in its place has another one. */
  readonly fingerprint: string;
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** How far a file was read before. */
export interface ReadBefore {
  readonly fingerprint: string;
  readonly readOffset: number;
  readonly countedOffset: number;
  readonly sessionId: string | null;
}

/** Where reading a file goes on. */
export interface FileStart {
  /** Another file stands where the one that was read before was: it is read and counted from its beginning. */
  readonly anew: boolean;
  readonly readOffset: number;
  readonly countedOffset: number;
}

/** A file as it is now, and how far it was read now. */
export interface FileProgress extends FileState {
  readonly readOffset: number;
  readonly countedOffset: number;
  readonly open: boolean;
  readonly sessionId: string | null;
  readonly seenSeq: number;
  /** What this step counted. */
  readonly counts: TranscriptCounts;
  /** Another file stands where this one was: its counts begin anew. */
  readonly anew: boolean;
}

/** Where to go on in a file; at its beginning when it was never read, is another one by its fingerprint, or lost what was counted. */
export function startOf(file: Pick<FileState, 'fingerprint' | 'size'>, before: ReadBefore | null): FileStart {
  if (before === null) return { anew: false, readOffset: 0, countedOffset: 0 };
  if (before.fingerprint !== file.fingerprint || file.size < before.countedOffset)
    return { anew: true, readOffset: 0, countedOffset: 0 };
  return { anew: false, readOffset: before.readOffset, countedOffset: before.countedOffset };
}

/** What is to be noted of a file after a piece of it was read. `atEnd`: nothing follows the piece. */
export function progressAfter(
  { fingerprint, size, modifiedAtMs }: FileState,
  before: ReadBefore | null,
  { nextOffset, countedOffset, open, sessionId, seenSeq, counts }: SegmentResult,
  { atEnd, anew }: { readonly atEnd: boolean; readonly anew: boolean },
): FileProgress {
  return {
    fingerprint,
    // With its whole size, a file that was read in part would count as unchanged, and its rest would wait for ever.
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
