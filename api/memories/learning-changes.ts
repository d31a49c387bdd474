import { previewOf } from '../../domain/capture/build-event.ts';
import type { Visibility } from '../../domain/learning/visibility.ts';
import { memoryHash } from '../../domain/memory.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { againIfMet } from '../../stores/postgres/connection/database-codes.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import {
  closeLearning,
  lockLearnings,
  unverifyLearning,
  verifyLearning,
} from '../../stores/postgres/learnings/learning-changes.ts';
import { reopenLearning } from '../../stores/postgres/learnings/learning-versions.ts';
import type { LearningEditor, LockedLearning } from '../../stores/postgres/learnings/learning-changes.ts';
import { hides, readLearning } from '../../stores/postgres/learnings/learning-list.ts';
import type { StoredLearning } from '../../stores/postgres/learnings/learning-list.ts';
import { currentIn, successorOf } from '../../stores/postgres/learnings/learning-successors.ts';
import { lockKnown } from '../../stores/postgres/learnings/learning-settling.ts';
import { changeVisibility } from '../../stores/postgres/learnings/learning-visibility.ts';
import { viewerOf, viewOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError, conflict, existing, invalid } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { isEmptied, redacted } from './hand-written.ts';
import { learningIdOf } from './memory-lookup.ts';
import { lockNewest, requireOwner, requireOwnerOfAll, requireVerifier } from './memory-changes.ts';

/** Input of a change: the transaction, the editor, and the learning, locked until the transaction ends. */
interface Change {
  readonly transaction: TenantTransaction;
  readonly editor: LearningEditor;
  readonly learning: LockedLearning;
  /** Another one that the request names, locked, too; undefined where it is not there. */
  readonly other: LockedLearning | undefined;
}

interface ChangeOptions {
  /** Id or hash of another learning that the request names. */
  readonly otherName?: string | null;
  /** The state that the learning must have; by default it is current. */
  readonly of?: 'current' | 'closed';
  /** @throws ApiError for who may not; by default all but the owner and admins */
  readonly allowed?: (learning: LockedLearning) => void;
}

/** Returns the error for words that a current learning has already. */
export function knownAlready(knownId: string, field = 'description'): ApiError {
  return new ApiError('CONFLICT', `a learning with this content exists: ${memoryHash(knownId)}`, [
    { field, message: `duplicates ${memoryHash(knownId)}`, id: knownId, type: 'learning' },
  ]);
}

/** Returns the error of a change that a current learning prevents: with its id and the start of its text, so that a person can compare both. */
async function preventedBy(
  transaction: TenantTransaction,
  principal: Principal,
  current: string,
  {
    code = 'CONFLICT',
    error,
    message,
  }: { readonly code?: ErrorCode; readonly error: string; readonly message: string },
): Promise<ApiError> {
  const shown = await readLearning(transaction, current, viewerOf(principal));
  const preview = shown === null ? {} : { preview: previewOf(shown.description) };
  return new ApiError(code, error, [{ field: 'id', message, id: current, type: 'learning', ...preview }]);
}

/** Returns the error for a version that is not the newest one. */
async function replacedBy(transaction: TenantTransaction, principal: Principal, current: string): Promise<ApiError> {
  const message = `the current version is ${memoryHash(current)}`;
  return preventedBy(transaction, principal, current, { error: `the learning was replaced; ${message}`, message });
}

/** Returns the error for a closed learning: it names the current one. */
async function closedAlready(transaction: TenantTransaction, principal: Principal, id: string): Promise<ApiError> {
  const current = await currentIn(transaction, id);
  return current === null ? conflict('id', 'is closed', 'the learning') : replacedBy(transaction, principal, current);
}

/** A reason as it may be stored. @throws ApiError VALIDATION_FAILED where it is private alone, or a word that hides a learning */
export function reasonOf(given: string): string {
  const reason = redacted(given);
  const message = isEmptied(reason)
    ? 'is empty without private text'
    : hides(reason)
      ? 'is reserved for deleted learnings'
      : null;
  if (message === null) return reason;
  throw invalid('reason', message);
}

/** Changes of learnings by users, one or many: each in one transaction, without the hint that vectors are to be written. */
export function createLearningChanges({
  config,
  database,
  embeddingModel,
}: Pick<ApiDependencies, 'config' | 'database' | 'embeddingModel'>) {
  /** Runs a change in one transaction and returns the learning whose id it returns. @throws ApiError, LegalHoldError */
  const change = (
    principal: Principal,
    name: string,
    work: (change: Change) => Promise<string>,
    { otherName = null, of = 'current', allowed = (learning) => requireOwner(principal, learning) }: ChangeOptions = {},
  ): Promise<StoredLearning> =>
    database.asTenant(viewOf(principal), async (transaction) => {
      const { tenantId, userId } = principal;
      const id = existing(await learningIdOf(transaction, name, 'id'), 'learning');
      const otherId = otherName === null ? null : await learningIdOf(transaction, otherName, 'by');
      if (id === otherId) throw invalid('by', 'is the same learning');
      // With its successors: none of them is closed or reopened meanwhile.
      if (of === 'closed') await lockKnown(transaction, tenantId, [id], []);
      const locked = await lockLearnings(transaction, otherId === null ? [id] : [id, otherId]);
      const learning = existing(
        locked.find((row) => row.id === id),
        'learning',
      );
      const other = locked.find((row) => row.id === otherId);
      allowed(learning);
      if (of === 'current' && !learning.open) throw await closedAlready(transaction, principal, id);
      if (of === 'closed' && learning.open) throw conflict('id', 'is current', 'the learning');
      const changedId = await work({ transaction, editor: { tenantId, userId, embeddingModel }, learning, other });
      return existing(await readLearning(transaction, changedId, viewerOf(principal)), 'learning');
    });

  return {
    change,

    /** For admins, and for users if the setting allows it. */
    verify: (principal: Principal, name: string, note: string | undefined): Promise<StoredLearning> =>
      change(
        principal,
        name,
        async ({ transaction, editor, learning }) => {
          await verifyLearning(transaction, editor, learning.id, note === undefined ? null : redacted(note));
          return learning.id;
        },
        { allowed: () => requireVerifier(principal, config.usersVerify) },
      ),

    /** For those who may verify. A learning that is not verified remains as it is. */
    unverify: (principal: Principal, name: string): Promise<StoredLearning> =>
      change(
        principal,
        name,
        async ({ transaction, learning }) => {
          await unverifyLearning(transaction, learning.id);
          return learning.id;
        },
        { allowed: () => requireVerifier(principal, config.usersVerify) },
      ),

    /** `reason`: of {@link reasonOf}. */
    invalidate: (principal: Principal, name: string, reason: string): Promise<StoredLearning> =>
      change(principal, name, async ({ transaction, editor, learning }) => {
        await closeLearning(transaction, editor, learning.id, { reason });
        return learning.id;
      }),

    /** Returns the new version. `reason`: of {@link reasonOf}. @throws ApiError CONTRADICTED, CONFLICT */
    reopen: (principal: Principal, name: string, reason: string): Promise<StoredLearning> =>
      change(
        principal,
        name,
        async ({ transaction, editor, learning }) => {
          const successor = await successorOf(transaction, learning.id);
          if (successor?.isContradiction === true) {
            const message = `${memoryHash(successor.id)} contradicts it and is current: invalidate that one first`;
            const error = `the learning cannot be reopened: ${message}`;
            throw await preventedBy(transaction, principal, successor.id, { code: 'CONTRADICTED', error, message });
          }
          if (successor?.isVersion === true) throw await replacedBy(transaction, principal, successor.id);
          const written = await reopenLearning(transaction, editor, learning, reason);
          if ('knownId' in written) throw knownAlready(written.knownId, 'id');
          return written.id;
        },
        { of: 'closed' },
      ),

    /** Shares the newest version with all others, or makes them private. `version`: the number that the newest must have. */
    share: (principal: Principal, name: string, visibility: Visibility, version?: number): Promise<StoredLearning> => {
      const work = () =>
        database.asTenant(viewOf(principal), async (transaction) => {
          const id = existing(await learningIdOf(transaction, name, 'id'), 'learning');
          const learning = await lockNewest(transaction, id, 'learning');
          await requireOwnerOfAll(transaction, principal, learning);
          if (version !== undefined && version !== learning.version)
            throw await replacedBy(transaction, principal, learning.id);
          const known = await changeVisibility(transaction, principal.tenantId, learning.id, visibility);
          if (known !== null) throw knownAlready(known.knownId, 'visibility');
          return existing(await readLearning(transaction, learning.id, viewerOf(principal)), 'learning');
        });
      // Others may write the same words meanwhile: the second attempt finds them.
      return againIfMet(2, work);
    },
  };
}
