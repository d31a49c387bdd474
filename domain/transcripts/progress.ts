import type { TranscriptCounts } from './counts.ts';
import type { SegmentResult } from './reconcile.ts';
import { translateHook } from '../capture/claude-code-hooks.ts';
import type { CaptureSource } from '../capture/event.ts';
import { findDuplicates } from './match.ts';
import type { StoredSession, TranscriptStore } from './store.ts';

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

/** Completes a session whose transcript was read to its end: deletes late duplicates, and ends a session that only this reading left open. */
export async function settleSession(
  externalId: string,
  over: boolean,
  cwd: string | undefined,
  store: TranscriptStore,
  source: CaptureSource,
): Promise<{ readonly late_duplicates: number; readonly stored: StoredSession | null }> {
  const { removed, stored } = await removeLateDuplicates(externalId, store);
  if (stored === null) return { late_duplicates: 0, stored };
  const endsAlready = stored.boundaries.some(({ kind, seq }) => kind === 'session_end' && seq === stored.lastSeq);
  if (over && stored.status === 'active' && stored.lastSource === source && !endsAlready) {
    const payload = { session_id: externalId, reason: 'transcript', ...(cwd === undefined ? {} : { cwd }) };
    const end = translateHook('SessionEnd', payload, `transcript:end:${stored.lastSeq}`);
    if (end !== null) await store.capture([{ ...end, source }]);
  }
  return { late_duplicates: removed, stored };
}

/** Deletes late duplicates of a session whose transcript was read; returns their number, and the session before the deletion. */
export async function removeLateDuplicates(
  externalId: string,
  store: Pick<TranscriptStore, 'readSession' | 'removeDuplicates'>,
): Promise<{ readonly removed: number; readonly stored: StoredSession | null }> {
  const stored = await store.readSession(externalId);
  if (stored === null) return { removed: 0, stored };
  const duplicates = findDuplicates(stored.prompts);
  const removed = duplicates.length === 0 ? 0 : await store.removeDuplicates(stored.sessionId, duplicates);
  return { removed, stored };
}

/** Reading state of a file that decides whether it is due. */
interface LookedAt {
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly open: boolean;
  readonly lookedAtMs: number;
}

/** `waiting`: being written. `unchanged`: read completely. */
type FileDueState = 'due' | 'waiting' | 'unchanged';

/** Open calls are abandoned after this time; see the reader. */
const ABANDONED_MS = 24 * 3_600_000;
/** Files with a later time, from a clock that was set back, count as quiet. */
const FUTURE_MS = 3_600_000;

/** Returns the time since the last write to a file. */
export function quietFor(modifiedAtMs: number, nowMs: number): number {
  const ms = nowMs - modifiedAtMs;
  return ms < -FUTURE_MS ? ABANDONED_MS : Math.max(0, ms);
}

/**
 * Returns whether a file is due. One written less than `quietMs` ago waits, so that pending hooks arrive first. One with an unfinished end
 * is due again after `idleMs` without a write, and once more after a day.
 */
export function currentOf(
  file: { readonly size: number; readonly modifiedAtMs: number },
  before: LookedAt | null,
  nowMs: number,
  limits: { readonly quietMs: number; readonly idleMs: number },
): FileDueState {
  const quietMs = quietFor(file.modifiedAtMs, nowMs);
  const changed = before === null || before.size !== file.size || before.modifiedAtMs !== file.modifiedAtMs;
  if (changed) return quietMs < limits.quietMs ? 'waiting' : 'due';
  if (!before.open) return 'unchanged';
  const quietThenMs = quietFor(file.modifiedAtMs, before.lookedAtMs);
  return [limits.idleMs, ABANDONED_MS].some((bound) => quietThenMs < bound && quietMs >= bound) ? 'due' : 'unchanged';
}
