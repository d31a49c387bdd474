import { asId } from '../../domain/ids.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import { expireValues } from '../../stores/postgres/retention/expired-full-values.ts';
import { removeArchive, fullValuesOfArchive } from '../../stores/postgres/retention/archives.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { forgetSession } from '../../stores/postgres/erasure/forget.ts';
import { lockForgetting } from '../../stores/postgres/erasure/forgotten.ts';
import { LegalHoldError, assertNoLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { archivesOfForgotten, noteLeft } from '../../stores/postgres/retention/retention-groups.ts';
import type { ActingRun } from '../../stores/postgres/retention/retention-groups.ts';
import { expiredSessions, isUnchanged } from '../../stores/postgres/retention/retention-sessions.ts';
import type { ExpiredSession } from '../../stores/postgres/retention/retention-sessions.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import { failureType } from '../failures.ts';
import { archiveSession } from './archive-session.ts';
import { hintAll } from './leftovers.ts';
import type { RetentionDependencies } from './leftovers.ts';
import { reportProgress } from '../heartbeat.ts';

const SESSIONS = 20;

/** Adds a session to its run's report. */
async function count(transaction: TenantTransaction, session: ExpiredSession): Promise<void> {
  await transaction.$executeRaw`
    INSERT INTO retention_counts AS rc (run_id, tenant_id, rule, resource, action, project_id, data_class, month, rows, bytes)
    VALUES (${session.runId}::uuid, ${session.tenantId}::uuid, ${session.rule}, 'session', ${session.action}, ${session.projectId}::uuid, '', ${session.month}::date, 1, ${session.bytes})
    ON CONFLICT (run_id, rule, resource, action, project_id, data_class, month) DO UPDATE SET rows = rc.rows + 1, bytes = rc.bytes + excluded.bytes`;
}

/**
 * Forgets a session with its tombstone, since a transcript could otherwise restore it. Returns false if it is under a legal hold, or changed
 * since it was selected.
 */
async function deleteSession(parts: RetentionDependencies, session: ExpiredSession): Promise<boolean> {
  const { database, archives } = parts;
  const tenantId = asId<ExpiredSession['tenantId']>(session.tenantId);
  try {
    const isMissing = await database.asTenant(tenantId, async (transaction) => {
      await lockForgetting(transaction, session.id);
      if (!(await isUnchanged(transaction, session))) return false;
      await assertNoLegalHold(transaction, { sessionId: session.id });
      const archived = await fullValuesOfArchive(transaction, session.id);
      await expireValues(transaction, [...archived, ...(await fullValuesOf(transaction, session.id, null))]);
      await forgetSession(transaction, session.id);
      await count(transaction, session);
      return true;
    });
    if (!isMissing) return false;
  } catch (error) {
    if (error instanceof LegalHoldError) return false;
    throw error;
  }
  // Its full values are queued: other rows may use them.
  if (archives !== null) await removeArchive({ database, archives, objects: null }, tenantId, session.id);
  return true;
}

async function expireSession(
  parts: RetentionDependencies,
  session: ExpiredSession,
  signal: AbortSignal,
): Promise<boolean> {
  const { archives } = parts;
  if (session.action === 'delete') return deleteSession(parts, session);
  if (archives === null) return false;
  const taken = await archiveSession(
    { ...parts, archives },
    session,
    (transaction) => count(transaction, session),
    signal,
  );
  return taken !== null;
}

/**
 * Archives or deletes the next expired sessions. Returns their number and the position to continue from (null: none left). A session that
 * fails (damaged archive, too large) is recorded and left to the next run, so that it does not block the others. @throws if the database or
 * the store is unavailable
 */
export async function expireSessions(
  parts: RetentionDependencies,
  runs: readonly ActingRun[],
  after: string,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly after: string | null }> {
  const { archives } = parts;
  const sessions = await expiredSessions(parts.maintenance, runs, after, SESSIONS);
  let rows = 0;
  for (const session of sessions) {
    reportProgress(signal);
    try {
      rows += Number(await expireSession(parts, session, signal));
    } catch (error) {
      if (signal.aborted || (error instanceof ArchiveStoreError && error.kind !== 'missing')) throw error;
      await noteLeft(parts.maintenance, session.runId, failureType(error));
    }
  }
  await hintAll(
    parts,
    sessions.map(({ tenantId }) => tenantId),
  );
  const last = sessions.at(-1);
  if (sessions.length === SESSIONS && last !== undefined) return { rows, after: last.id };
  if (archives !== null)
    for (const { tenantId, sessionId } of await archivesOfForgotten(
      parts.maintenance,
      runs.map((run) => run.tenantId),
    ))
      await removeArchive({ ...parts, archives }, tenantId, sessionId);
  return { rows, after: null };
}
