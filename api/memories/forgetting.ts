import { sessionIdOf } from '../subjects.ts';
import type { TenantId } from '../../domain/ids.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import { findCapturedEvents } from '../../stores/postgres/capture/captured-events.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { forgetEvent, forgetSession } from '../../stores/postgres/erasure/forget.ts';
import { assertNoLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { removeArchive } from '../../stores/postgres/retention/archives.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import { viewerOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError, existing } from '../errors.ts';

/** Ends a transaction that was only tried, with what it would have done. */
class Tried extends Error {
  override readonly name = 'Tried';
}

/** The event to forget, and whether to count only. */
interface EventToForget {
  /** A key as stored, a tool use id, a delivery id, or the id of a row. */
  readonly given: string;
  readonly session?: string | undefined;
  readonly isDryRun: boolean;
}

/** Forgetting of what was captured, so that no spool, transcript or restore brings it back. */
export function createForgetting({
  database,
  objects,
  archives,
  workflowHints,
}: Pick<ApiDependencies, 'database' | 'objects' | 'archives' | 'workflowHints'>) {
  /** Runs in one transaction; a dry run rolls back, so that its counts are exact. */
  const perform = async <Result>(
    tenantId: TenantId,
    isDryRun: boolean,
    work: (transaction: TenantTransaction) => Promise<Result>,
  ): Promise<Result> => {
    let tried: { readonly result: Result } | null = null;
    try {
      return await database.asTenant(tenantId, async (transaction) => {
        const result = await work(transaction);
        if (!isDryRun) return result;
        tried = { result };
        throw new Tried('undone');
      });
    } catch (error) {
      // Assigned inside the transaction, which the compiler does not follow.
      const done = tried as { readonly result: Result } | null;
      if (error instanceof Tried && done !== null) return done.result;
      throw error;
    }
  };

  const ofSession = (transaction: TenantTransaction, sessionId: string, seqs: readonly number[] | null) =>
    objects === null ? Promise.resolve([]) : fullValuesOf(transaction, sessionId, seqs);

  /** Runs after the commit: an existing row must find its full value. Another row truncated from the same text loses it, too. */
  const finish = async (tenantId: TenantId, sessionId: string, fullValues: readonly string[]): Promise<void> => {
    for (const sha256 of fullValues) await objects?.delete(fullValueKey(tenantId, sha256));
    // The session's workflow summarises the remaining rows, or ends if the session was deleted; the sweep repeats lost hints.
    await Promise.allSettled([workflowHints.session(tenantId, sessionId), workflowHints.index(tenantId)]);
  };

  return {
    /** Forgets one event of the caller (an admin: of the tenant). @throws ApiError NOT_FOUND, or CONFLICT if several match; LegalHoldError */
    async event(principal: Principal, { given, session, isDryRun }: EventToForget) {
      const { tenantId } = principal;
      const { fullValues, ...result } = await perform(tenantId, isDryRun, async (transaction) => {
        const sessionId = session === undefined ? null : await sessionIdOf(transaction, principal, session);
        const events = await findCapturedEvents(transaction, { given, sessionId, viewerId: viewerOf(principal) });
        const event = existing(events[0], 'event');
        if (events.length > 1) {
          const message = 'several events have this key; name the session, or the id of a row';
          throw new ApiError('CONFLICT', message, [{ field: 'session', message }]);
        }
        await assertNoLegalHold(transaction, { sessionId: event.sessionId });
        const seqs = event.rows.map((row) => row.seq);
        const fullValues = await ofSession(transaction, event.sessionId, seqs);
        const forgotten = existing(await forgetEvent(transaction, event), 'event');
        return { event, forgotten, fullValues };
      });
      if (!isDryRun) await finish(tenantId, result.event.sessionId, fullValues);
      return result;
    },

    /** Forgets a session with its archive. @throws ApiError NOT_FOUND; LegalHoldError */
    async session(principal: Principal, given: string, isDryRun: boolean) {
      const { tenantId } = principal;
      const { fullValues, ...result } = await perform(tenantId, isDryRun, async (transaction) => {
        const sessionId = await sessionIdOf(transaction, principal, given);
        await assertNoLegalHold(transaction, { sessionId });
        const fullValues = await ofSession(transaction, sessionId, null);
        return { sessionId, fullValues, forgotten: await forgetSession(transaction, sessionId) };
      });
      if (!isDryRun) {
        await finish(tenantId, result.sessionId, fullValues);
        // An unavailable store does not prevent forgetting: the next retention run removes the archive.
        if (archives !== null)
          await removeArchive({ database, archives, objects }, tenantId, result.sessionId).catch(() => undefined);
      }
      return result;
    },
  };
}
