import { isDeepStrictEqual } from 'node:util';
import { previewOf } from '../../domain/capture/build-event.ts';
import { memoryHash } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { lockLearnings } from '../../stores/postgres/learnings/learning-changes.ts';
import { correctLearning } from '../../stores/postgres/learnings/learning-versions.ts';
import type { LearningEditor, LockedLearning } from '../../stores/postgres/learnings/learning-changes.ts';
import { assertNoLegalHold } from '../../stores/postgres/retention/legal-holds.ts';
import { currentIn } from '../../stores/postgres/learnings/learning-successors.ts';
import {
  changeObservation,
  forgetLearning,
  newestVersion,
  rowsQuoted,
  rowsSummarised,
  weighLearning,
  ownersOfVersions,
} from '../../stores/postgres/memories/memory-changes.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError, noSuch, invalid } from '../errors.ts';
import { createForgetting, NO_SOURCES } from './forgetting.ts';
import type { MemorySources } from './forgetting.ts';
import { correctedWords, isEmptied, redacted } from './hand-written.ts';
import { findMemory } from './memory-lookup.ts';
import { redactedContent, redactedTags } from './remembering.ts';
import type { MemoryCorrection } from '../../contract/memory.ts';
import { isAdmin, isViewer, mayActFor, viewOf } from '../auth.ts';

/** All users of the tenant may read a shared learning; its owner and admins may change it. @throws ApiError FORBIDDEN */
export function requireOwner(principal: Principal, learning: LockedLearning): void {
  if (!mayActFor(principal, learning.userId))
    throw new ApiError('FORBIDDEN', 'only the owner of a learning or an admin may change it');
}

/** Checks the owner of a learning and of all its earlier versions, which are deleted or shared with it. @throws ApiError FORBIDDEN */
export async function requireOwnerOfAll(
  transaction: TenantTransaction,
  principal: Principal,
  learning: LockedLearning,
): Promise<void> {
  requireOwner(principal, learning);
  const owners = await ownersOfVersions(transaction, learning.id);
  if (!owners.every((userId) => mayActFor(principal, userId)))
    throw new ApiError(
      'FORBIDDEN',
      'another user owns an earlier version of the learning: only an admin may change all versions',
    );
}

/** Returns whether a principal may verify learnings: admins, and users if the setting allows it. */
export function mayVerify(principal: Principal, usersVerify: boolean): boolean {
  return !isViewer(principal) && principal.scopes.includes('write') && (usersVerify || isAdmin(principal));
}

/** @throws ApiError FORBIDDEN for who may not verify learnings */
export function requireVerifier(principal: Principal, usersVerify: boolean): void {
  if (!mayVerify(principal, usersVerify))
    throw new ApiError('FORBIDDEN', 'only an admin may verify a learning (RECOLLECT_USERS_VERIFY allows users)');
}

/** What is forgotten of a memory. */
export interface ForgottenMemory {
  /** Number of versions of a learning, or of rows of a captured event; 1 for a summary. */
  readonly forgotten: number;
  readonly sources: MemorySources;
}

/** Returns the error for a summary whose sources remain: it would be written again. */
function summaryRemains({ remaining }: MemorySources): ApiError {
  const message =
    remaining.length === 0
      ? 'is of a summary without stored sources: forget its session'
      : 'is of a summary, which is written again from its sources: forget them with it (with_sources)';
  return new ApiError('VALIDATION_FAILED', `id ${message}`, [
    { field: 'id', message },
    ...remaining.map(({ id, type, content }) => ({
      field: 'id',
      message: 'is a source',
      id,
      type,
      preview: previewOf(content),
    })),
  ]);
}

/** Two people may change one memory at the same time: so often its newest version is looked for again. */
const ATTEMPTS = 3;

/** The newest version of a learning, locked; who changes a version that was replaced means that one. */
export async function lockNewest(
  transaction: TenantTransaction,
  id: string,
  what: 'memory' | 'learning' = 'memory',
): Promise<LockedLearning> {
  for (let attempt = 1; ; attempt += 1) {
    const newest = await newestVersion(transaction, id);
    const [locked] = await lockLearnings(transaction, [newest]);
    if (locked === undefined) throw noSuch(what);
    // Another caller corrected it while this one waited for the lock.
    if (locked.open || attempt === ATTEMPTS || (await newestVersion(transaction, id)) === newest) return locked;
  }
}

/** Returns the words of a learning after a correction with redacted content. @throws ApiError VALIDATION_FAILED for entirely private content */
function wordsOf(learning: LockedLearning, { content, title, tags, category }: MemoryCorrection) {
  const corrected = correctedWords(learning, {
    category,
    title: title === undefined ? undefined : redacted(title),
    description: content,
    tags: tags === undefined ? undefined : redactedTags(tags),
  });
  if (isEmptied(corrected.description)) throw invalid('content', 'is empty without private text');
  return corrected;
}

async function correctWords(
  transaction: TenantTransaction,
  principal: Principal,
  editor: LearningEditor,
  id: string,
  body: MemoryCorrection,
): Promise<string> {
  const learning = await lockNewest(transaction, id);
  requireOwner(principal, learning);
  if (!learning.open) {
    const current = await currentIn(transaction, id);
    const message = current === null ? 'is closed' : `was replaced by ${memoryHash(current)}`;
    throw new ApiError('CONFLICT', `the memory ${message}`, [{ field: 'id', message }]);
  }
  const { importance, flagged, ...words } = body;
  if (flagged !== undefined) throw invalid('flagged', 'applies only to captured events');
  let current = learning.id;
  const corrected = wordsOf(learning, words);
  if (!isDeepStrictEqual(corrected, wordsOf(learning, {}))) {
    const written = await correctLearning(transaction, editor, learning, corrected, 'letters');
    if ('knownId' in written)
      throw new ApiError('CONFLICT', `a memory with this content exists: ${memoryHash(written.knownId)}`, [
        { field: 'content', message: `duplicates ${memoryHash(written.knownId)}` },
      ]);
    current = written.id;
  }
  if (importance !== undefined) await weighLearning(transaction, current, importance);
  return current;
}

const OF_OBSERVATIONS = ['tags', 'importance', 'flagged'];

/** Changes of existing memories by users and agents: correct, forget. */
export function createMemoryChanges(dependencies: ApiDependencies) {
  const { database, embeddingModel, heavy, workflowHints } = dependencies;
  const forgetting = createForgetting(dependencies);

  return {
    /** Corrects a memory; returns it as it is now. @throws ApiError */
    async correct(principal: Principal, memory: Memory, given: MemoryCorrection): Promise<Memory> {
      const { tenantId, userId } = principal;
      if (memory.type === 'prompt' || memory.type === 'summary')
        throw invalid('id', `is of a ${memory.type}, which cannot be changed; learnings and observations can`);
      // Before the transaction: no lock waits for the redaction of a long text.
      const content = given.content === undefined ? undefined : await redactedContent(heavy, userId, given.content);
      const body = content === undefined ? given : { ...given, content };
      const id = await database.asTenant(viewOf(principal), async (transaction) => {
        if (memory.type === 'learning')
          return correctWords(transaction, principal, { tenantId, userId, embeddingModel }, memory.id, body);
        const field = Object.keys(body).find((name) => !OF_OBSERVATIONS.includes(name));
        if (field !== undefined)
          throw invalid(field, `cannot change after capture; only ${OF_OBSERVATIONS.join(', ')} can`);
        await assertNoLegalHold(transaction, { sessionId: memory.session?.id ?? null });
        const { tags, importance, flagged } = body;
        await changeObservation(transaction, memory.id, { tags: tags && redactedTags(tags), importance, flagged });
        return memory.id;
      });
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return findMemory(database, principal, id, 'id');
    },

    /**
     * Forgets a memory, with its sources if wanted, in one transaction; a dry run only counts. Sources of other users remain. A summary is
     * forgotten with its sources only. @throws ApiError, LegalHoldError
     */
    async forget(
      principal: Principal,
      memory: Memory,
      { withSources, isDryRun }: { readonly withSources: boolean; readonly isDryRun: boolean },
    ): Promise<ForgottenMemory> {
      const { tenantId, userId } = principal;
      if (memory.type === 'prompt' || memory.type === 'observation') {
        const { event } = await forgetting.event(principal, { given: memory.id, isDryRun });
        return { forgotten: event.rows.length, sources: NO_SOURCES };
      }
      const { fullValues, ...result } = await forgetting.perform(viewOf(principal), isDryRun, async (transaction) => {
        const rowsOf = memory.type === 'learning' ? rowsQuoted : rowsSummarised;
        const rowIds = await rowsOf(transaction, memory.id);
        const sources = await forgetting.sourcesOf(transaction, principal, rowIds, withSources);
        if (memory.type === 'summary' && sources.forgotten.length === 0) throw summaryRemains(sources);
        await forgetting.lockSessions(transaction, sources.forgotten);
        let forgotten = 1;
        if (memory.type === 'learning') {
          const learning = await lockNewest(transaction, memory.id);
          await requireOwnerOfAll(transaction, principal, learning);
          forgotten = (await forgetLearning(transaction, { tenantId, userId, embeddingModel }, learning.id)).length;
        }
        return { forgotten, sources, fullValues: await forgetting.sources(transaction, principal, sources.forgotten) };
      });
      if (!isDryRun) {
        await Promise.allSettled([workflowHints.index(tenantId)]);
        for (const [sessionId, values] of fullValues) await forgetting.finish(tenantId, sessionId, values);
      }
      return result;
    },
  };
}
