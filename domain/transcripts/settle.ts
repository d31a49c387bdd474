import { translateHook } from '../capture/claude-code-hooks.ts';
import type { CaptureSource } from '../capture/event.ts';
import { findDuplicates } from './match.ts';
import type { StoredSession, TranscriptStore } from './store.ts';

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
  store: TranscriptStore,
): Promise<{ readonly removed: number; readonly stored: StoredSession | null }> {
  const stored = await store.readSession(externalId);
  if (stored === null) return { removed: 0, stored };
  const duplicates = findDuplicates(stored.prompts);
  const removed = duplicates.length === 0 ? 0 : await store.removeDuplicates(stored.sessionId, duplicates);
  return { removed, stored };
}
