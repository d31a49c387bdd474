import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import {
  closeLearning,
  correctLearning,
  deleteLearning,
  lockLearnings,
  supersedeLearning,
  verifyLearning,
} from '../../../stores/postgres/learnings/learning-changes.ts';
import type { LearningEditor, LockedLearning } from '../../../stores/postgres/learnings/learning-changes.ts';
import { currentIn } from '../../../stores/postgres/learnings/learning-successors.ts';
import { hides, readLearning } from '../../../stores/postgres/learnings/learning-list.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing, invalid } from '../../errors.ts';
import { learningIdOf } from '../../memories/memory-lookup.ts';
import { requireOwner, requireOwnerOfAll, requireVerifier } from '../../memories/memory-changes.ts';
import { correctedWords, handWritten, isEmptied, redacted, redactedWords } from '../../memories/hand-written.ts';
import { knownAlready, presentLearning } from './learnings.ts';
import {
  invalidateBody,
  learningCorrection,
  learningParams,
  learningSchema,
  supersedeBody,
  verifyBody,
} from '../../../contract/learnings.ts';

/** Input of a change: the transaction, the editor, and the current learning, locked until the transaction ends. */
interface Change {
  readonly transaction: TenantTransaction;
  readonly editor: LearningEditor;
  readonly principal: Principal;
  readonly learning: LockedLearning;
  /** Another one that the request names, locked, too; undefined where it is not there. */
  readonly other: LockedLearning | undefined;
}

interface ChangeOptions {
  /** Id or hash of another learning that the request names. */
  readonly otherName?: string | null;
  /** @throws ApiError for who may not; by default all but the owner and admins */
  readonly allowed?: (learning: LockedLearning) => void;
}

/** Returns the error for a closed learning: it names the current one. */
async function closedAlready(transaction: TenantTransaction, id: string): Promise<ApiError> {
  const current = await currentIn(transaction, id);
  if (current === null)
    return new ApiError('CONFLICT', 'the learning was closed', [{ field: 'id', message: 'is closed' }]);
  return new ApiError('CONFLICT', `the learning was replaced; the current version is ${memoryHash(current)}`, [
    { field: 'id', message: `the current version is ${memoryHash(current)}` },
  ]);
}

/** Changes of a current learning: correct, delete, verify, invalidate, supersede. */
export function learningChangeRoutes(
  app: Api,
  { config, database, embeddingModel, workflowHints }: ApiDependencies,
): void {
  /** Runs a change in one transaction and returns the learning. */
  const change = async (
    principal: Principal,
    name: string,
    work: (change: Change) => Promise<string>,
    { otherName = null, allowed = (learning) => requireOwner(principal, learning) }: ChangeOptions = {},
  ) => {
    const { tenantId, userId } = principal;
    const changed = await database.asTenant(viewOf(principal), async (transaction) => {
      const id = existing(await learningIdOf(transaction, name, 'id'), 'learning');
      const otherId = otherName === null ? null : await learningIdOf(transaction, otherName, 'by');
      if (id === otherId) throw invalid('by', 'is the same learning');
      const locked = await lockLearnings(transaction, otherId === null ? [id] : [id, otherId]);
      const learning = existing(
        locked.find((row) => row.id === id),
        'learning',
      );
      const other = locked.find((row) => row.id === otherId);
      allowed(learning);
      if (!learning.open) throw await closedAlready(transaction, learning.id);
      const editor = { tenantId, userId, embeddingModel };
      const changedId = await work({ transaction, editor, principal, learning, other });
      return readLearning(transaction, changedId, viewerOf(principal));
    });
    const found = existing(changed, 'learning');
    // Vectors are written and removed by the index; the sweep repeats what is not heard.
    await Promise.allSettled([workflowHints.index(tenantId)]);
    return presentLearning(found);
  };
  const answers = { response: { 200: learningSchema } };

  app.put(
    '/learnings/:id',
    route('write', {
      tags: ['learnings'],
      summary: 'Correct a learning',
      description:
        'For its owner and admins. Creates and returns a new version, and closes the old one. A new description replaces title, context and examples, too, unless they are given; a reworded learning has confidence 1. The second of two concurrent corrections is rejected with CONFLICT and the id of the current version.',
      params: learningParams,
      body: learningCorrection,
      ...answers,
    }),
    (request) =>
      change(principalOf(request), request.params.id, async ({ transaction, editor, learning }) => {
        const words = await redactedWords(correctedWords(learning, request.body), '', learning);
        const written = await correctLearning(transaction, editor, learning, words, 'words');
        if ('knownId' in written) throw knownAlready(written.knownId);
        return written.id;
      }),
  );

  app.delete(
    '/learnings/:id',
    route('write', {
      tags: ['learnings'],
      summary: 'Delete a learning',
      description:
        'For its owner and admins. Removes the learning and its earlier versions from all lists and search at once. It is not learned again from the same words.',
      params: learningParams,
      response: {
        200: z.object({ id: z.string(), deleted: z.number().int().describe('Versions') }),
      },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      const { id, deleted } = await database.asTenant(viewOf(principal), async (transaction) => {
        // One that is closed can be deleted, too.
        const id = existing(await learningIdOf(transaction, request.params.id, 'id'), 'learning');
        const learning = existing((await lockLearnings(transaction, [id]))[0], 'learning');
        await requireOwnerOfAll(transaction, principal, learning);
        const ids = await deleteLearning(transaction, { tenantId, userId, embeddingModel }, learning.id);
        return { id: learning.id, deleted: ids.length };
      });
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return { id, deleted };
    },
  );

  app.post(
    '/learnings/:id/verify',
    route('write', {
      tags: ['learnings'],
      summary: 'Verify a learning',
      description: 'For admins, and for users if RECOLLECT_USERS_VERIFY is set.',
      params: learningParams,
      body: verifyBody,
      ...answers,
    }),
    (request) =>
      change(
        principalOf(request),
        request.params.id,
        async ({ transaction, editor, learning }) => {
          const { note } = request.body;
          await verifyLearning(transaction, editor, learning.id, note === undefined ? null : redacted(note));
          return learning.id;
        },
        { allowed: () => requireVerifier(principalOf(request), config.usersVerify) },
      ),
  );

  app.post(
    '/learnings/:id/invalidate',
    route('write', {
      tags: ['learnings'],
      summary: 'Invalidate a learning',
      description: 'Closes the learning with the reason. It is not learned again from the same words.',
      params: learningParams,
      body: invalidateBody,
      ...answers,
    }),
    (request) =>
      change(principalOf(request), request.params.id, async ({ transaction, editor, learning }) => {
        await closeLearning(transaction, editor, learning.id, { reason: reasonOf(request.body.reason) });
        return learning.id;
      }),
  );

  app.post(
    '/learnings/:id/supersede',
    route('write', {
      tags: ['learnings'],
      summary: 'Supersede a learning by another one',
      description: 'For its owner and admins. Returns the current learning.',
      params: learningParams,
      body: supersedeBody,
      ...answers,
    }),
    async (request) => {
      const principal = principalOf(request);
      const { by } = request.body;
      const reason = reasonOf(request.body.reason);
      return change(
        principal,
        request.params.id,
        async ({ transaction, editor, learning, other }) => {
          if (typeof by === 'string') {
            if (other === undefined) throw invalid('by', 'there is no such learning');
            if (!other.open) throw invalid('by', 'is closed');
            // Readers of a shared learning would find nothing in its place.
            if (other.ownerId !== null && other.ownerId !== learning.ownerId) throw invalid('by', 'is private');
            await closeLearning(transaction, editor, learning.id, { reason, by: other.id });
            return other.id;
          }
          const given = await handWritten(transaction, by, viewerOf(principal), 'by.');
          const written = await supersedeLearning(transaction, editor, learning, given, reason);
          if ('knownId' in written) throw knownAlready(written.knownId, 'by.description');
          return written.id;
        },
        { otherName: typeof by === 'string' ? by : null },
      );
    },
  );
}

/** A reason as it may be stored. @throws ApiError VALIDATION_FAILED where it is private alone, or a word that hides a learning */
function reasonOf(given: string): string {
  const reason = redacted(given);
  const message = isEmptied(reason)
    ? 'is empty without private text'
    : hides(reason)
      ? 'is reserved for deleted learnings'
      : null;
  if (message === null) return reason;
  throw invalid('reason', message);
}
