import { sessionIdOf } from '../subjects.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Memory } from '../../domain/memory.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import { findCapturedEvents } from '../../stores/postgres/capture/captured-events.ts';
import type { CapturedEvent } from '../../stores/postgres/capture/captured-events.ts';
import { againIfMet } from '../../stores/postgres/connection/database-codes.ts';
import { readIn, viewOfUser } from '../../stores/postgres/connection/database.ts';
import type { TenantTransaction, TenantView } from '../../stores/postgres/connection/database.ts';
import { forgetEvent, forgetSession } from '../../stores/postgres/erasure/forget.ts';
import { lockForgetting } from '../../stores/postgres/erasure/forgotten.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { assertNoLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { expireValues, namedValues } from '../../stores/postgres/retention/expired-full-values.ts';
import { fullValuesOfArchive, removeArchive } from '../../stores/postgres/retention/archives.ts';
import { fullValuesOf } from '../../stores/postgres/capture/full-values.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { viewerOf, viewOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError, existing } from '../errors.ts';

/** Ends a transaction that was only tried, with what it would have done. */
class Tried extends Error {
  override readonly name = 'Tried';
}

/** Attempts of a transaction: its many rows may meet those of a session's workflow in another order, and PostgreSQL ends one of both. */
const ATTEMPTS = 3;

/** Maximum number of sources that are forgotten in one transaction, and that an answer lists as remaining. */
export const MAX_SOURCES = 20;

/** Captured rows that a memory was made from, newest first. */
export interface MemorySources {
  /** Those to forget with the memory. */
  readonly forgotten: readonly Memory[];
  /** Those that remain and that the caller may forget, at most {@link MAX_SOURCES}. */
  readonly remaining: readonly Memory[];
  /** Number of all that remain, including those of other users. */
  readonly remainingCount: number;
}

/** Sources of a captured row: it is its own. */
export const NO_SOURCES: MemorySources = { forgotten: [], remaining: [], remainingCount: 0 };

/** The event to forget, and whether to count only. */
interface EventToForget {
  /** A key as stored, a tool use id, a delivery id, or the id of a row. */
  readonly given: string;
  readonly session?: string | undefined;
  readonly isDryRun: boolean;
}

function sessionsOf(memories: readonly Memory[]): string[] {
  return [...new Set(memories.flatMap(({ session }) => session?.id ?? []))];
}

/** Forgetting of what was captured, so that no spool, no transcript and no restore of this instance brings it back. */
export function createForgetting({
  database,
  objects,
  archives,
  workflowHints,
}: Pick<ApiDependencies, 'database' | 'objects' | 'archives' | 'workflowHints'>) {
  /** Runs in one transaction; a dry run rolls back, so that its counts are exact. */
  const perform = async <Result>(
    view: TenantView,
    isDryRun: boolean,
    work: (transaction: TenantTransaction) => Promise<Result>,
  ): Promise<Result> => {
    let tried: { readonly result: Result } | null = null;
    const run = () =>
      database.asTenant(view, async (transaction) => {
        const result = await work(transaction);
        if (!isDryRun) return result;
        tried = { result };
        throw new Tried('undone');
      });
    try {
      return await againIfMet(ATTEMPTS, run);
    } catch (error) {
      // Assigned inside the transaction, which the compiler does not follow.
      const done = tried as { readonly result: Result } | null;
      if (error instanceof Tried && done !== null) return done.result;
      throw error;
    }
  };

  const ofSession = (transaction: TenantTransaction, sessionId: string, seqs: readonly number[] | null) =>
    objects === null ? Promise.resolve([]) : fullValuesOf(transaction, sessionId, seqs);
  const ofArchive = (transaction: TenantTransaction, sessionId: string) =>
    objects === null ? Promise.resolve([]) : fullValuesOfArchive(transaction, sessionId);

  /** Forgets an event; its full values are read before its rows are deleted. */
  const forgetCaptured = async (transaction: TenantTransaction, event: CapturedEvent) => {
    const seqs = event.rows.map((row) => row.seq);
    const fullValues = await ofSession(transaction, event.sessionId, seqs);
    await expireValues(transaction, fullValues);
    return { fullValues, forgotten: await forgetEvent(transaction, event) };
  };

  /** Deletes full values, except those that an existing row names, also one of another user or under a legal hold. */
  const deleteValues = async (tenantId: TenantId, fullValues: readonly string[]): Promise<void> => {
    if (objects === null || fullValues.length === 0) return;
    const named = await database.asTenant(viewOfUser(tenantId), (transaction) => namedValues(transaction, fullValues));
    for (const sha256 of fullValues) if (!named.has(sha256)) await objects.delete(fullValueKey(tenantId, sha256));
  };

  /** Runs after the commit. */
  const finish = async (tenantId: TenantId, sessionId: string, fullValues: readonly string[]): Promise<void> => {
    // The commit queued them: the next retention run deletes those that remain after a failure or a crash.
    await deleteValues(tenantId, fullValues).catch(() => undefined);
    // The session's workflow summarises the remaining rows, or ends if the session was deleted; the sweep repeats lost hints.
    await Promise.allSettled([workflowHints.session(tenantId, sessionId), workflowHints.index(tenantId)]);
  };

  return {
    perform,

    /** Returns the sources among these rows; with `isWanted` the newest of them are to be forgotten. */
    async sourcesOf(
      transaction: TenantTransaction,
      principal: Principal,
      rowIds: readonly string[],
      isWanted: boolean,
    ): Promise<MemorySources> {
      const refs = rowIds.flatMap((id) => (['prompt', 'observation'] as const).map((type) => ({ type, id })));
      const read = readIn(transaction);
      const own = (await readMemories(read, refs, viewerOf(principal))).sort((one, other) =>
        other.occurredAt.localeCompare(one.occurredAt),
      );
      const forgotten = isWanted ? own.slice(0, MAX_SOURCES) : [];
      return {
        forgotten,
        remaining: own.slice(forgotten.length, forgotten.length + MAX_SOURCES),
        // Rows of other users are not visible here, and remain.
        remainingCount: new Set(rowIds).size - forgotten.length,
      };
    },

    /** Blocks model steps of the sources' sessions, in the order of ids. Must be called before any row is locked. */
    async lockSessions(transaction: TenantTransaction, sources: readonly Memory[]): Promise<void> {
      for (const sessionId of sessionsOf(sources).sort()) await lockForgetting(transaction, sessionId);
    },

    /** Forgets the events of these rows in the given transaction. Returns their full values by session. @throws LegalHoldError */
    async sources(
      transaction: TenantTransaction,
      principal: Principal,
      sources: readonly Memory[],
    ): Promise<ReadonlyMap<string, readonly string[]>> {
      for (const sessionId of sessionsOf(sources)) await assertNoLegalHold(transaction, { sessionId });
      const fullValues = new Map<string, string[]>();
      for (const { id, session } of sources) {
        const sessionId = session?.id ?? null;
        // None is found for a further row of an event that is already forgotten.
        const [event] = await findCapturedEvents(transaction, { given: id, sessionId, viewerId: viewerOf(principal) });
        if (event === undefined) continue;
        const { fullValues: values } = await forgetCaptured(transaction, event);
        fullValues.set(event.sessionId, [...(fullValues.get(event.sessionId) ?? []), ...values]);
      }
      return fullValues;
    },

    finish,

    /** Forgets one event of the caller (an admin: of the tenant). @throws ApiError NOT_FOUND, or CONFLICT if several match; LegalHoldError */
    async event(principal: Principal, { given, session, isDryRun }: EventToForget) {
      const { tenantId } = principal;
      const { fullValues, ...result } = await perform(viewOf(principal), isDryRun, async (transaction) => {
        const sessionId = session === undefined ? null : await sessionIdOf(transaction, principal, session);
        const events = await findCapturedEvents(transaction, { given, sessionId, viewerId: viewerOf(principal) });
        const event = existing(events[0], 'event');
        if (events.length > 1) {
          const message = 'several events have this key; name the session, or the id of a row';
          throw new ApiError('CONFLICT', message, [{ field: 'session', message }]);
        }
        await assertNoLegalHold(transaction, { sessionId: event.sessionId });
        const { forgotten, fullValues } = await forgetCaptured(transaction, event);
        return { event, forgotten: existing(forgotten, 'event'), fullValues };
      });
      if (!isDryRun) await finish(tenantId, result.event.sessionId, fullValues);
      return result;
    },

    /** Forgets a session with its archive. @throws ApiError NOT_FOUND; LegalHoldError */
    async session(principal: Principal, given: string, isDryRun: boolean) {
      const { tenantId } = principal;
      const { fullValues, ...result } = await perform(viewOf(principal), isDryRun, async (transaction) => {
        const sessionId = await sessionIdOf(transaction, principal, given);
        await assertNoLegalHold(transaction, { sessionId });
        const archived = await ofArchive(transaction, sessionId);
        const fullValues = [...archived, ...(await ofSession(transaction, sessionId, null))];
        await expireValues(transaction, fullValues);
        return { sessionId, fullValues, forgotten: await forgetSession(transaction, sessionId) };
      });
      if (!isDryRun) {
        // An unavailable store does not prevent forgetting: the next retention run removes the archive with its full values.
        if (archives !== null)
          await removeArchive({ database, archives, objects: null }, tenantId, result.sessionId).catch(() => undefined);
        await finish(tenantId, result.sessionId, fullValues);
      }
      return result;
    },
  };
}
