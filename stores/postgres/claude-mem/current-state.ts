import { sessionKey } from '../../../domain/claude-mem/session-name.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { ImportBatch, AcceptedDraft } from './prepare-rows.ts';
import { findSessions, forgottenSessions, makeSessions } from './sessions.ts';
import type { CurrentSession, RequestedSession } from './sessions.ts';

/** For a row without a time, where its session has none either. */
export const UNKNOWN_MS = 0;

/** Returns each session that the drafts name, with its earliest and latest time in them. */
export function requestedSessions(drafts: readonly AcceptedDraft[]): Map<string, RequestedSession> {
  const wanted = new Map<string, RequestedSession>();
  for (const { session: ref, atMs, becomes } of drafts) {
    const key = sessionKey(ref);
    const before = wanted.get(key);
    const at = atMs ?? before?.startedAtMs ?? UNKNOWN_MS;
    const isSession = becomes.kind === 'session';
    wanted.set(key, {
      ref: before?.ref ?? ref,
      title: (isSession ? becomes.title : null) ?? before?.title ?? null,
      metadata: before?.metadata ?? { claude_mem: { ...(isSession ? becomes.metadata : {}), kind: ref.kind } },
      startedAtMs: Math.min(at, before?.startedAtMs ?? at),
      lastAtMs: Math.max(at, before?.lastAtMs ?? at, (isSession ? becomes.endedAtMs : null) ?? 0),
    });
  }
  return wanted;
}

/** The stored state that a batch needs. */
export interface CurrentState {
  readonly sessions: ReadonlyMap<string, CurrentSession>;
  /** Sessions that were there before the batch. */
  readonly before: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly made: number;
}

export async function currentOf(
  transaction: TenantTransaction,
  { owner, dryRun }: ImportBatch,
  wanted: ReadonlyMap<string, RequestedSession>,
): Promise<CurrentState> {
  const refs = [...wanted.values()].map(({ ref }) => ref);
  const found = await findSessions(transaction, owner.userId, refs, false);
  const missing = [...wanted].filter(([key]) => !found.has(key));
  const forgotten = await forgottenSessions(
    transaction,
    owner.userId,
    missing.map(([, { ref }]) => ref),
  );
  const fresh = missing.filter(([key]) => !forgotten.has(key)).map(([, session]) => session);
  const made = dryRun ? fresh.length : await makeSessions(transaction, owner, fresh);
  const sessions = dryRun ? found : await findSessions(transaction, owner.userId, refs, true);
  const deleted = [...sessions].filter(([, { status }]) => status === 'deleted').map(([key]) => key);
  return { sessions, before: new Set(found.keys()), refused: new Set([...forgotten, ...deleted]), made };
}
