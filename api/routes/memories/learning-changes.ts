import { idParams } from '../../../contract/shared.ts';
import { z } from 'zod';
import type { Principal } from '../../../stores/postgres/access/api-keys.ts';
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
import { principalOf, viewerOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing, invalid } from '../../errors.ts';
import { requireOwner, requireOwnerOfAll, requireVerifier } from '../../memories/memory-changes.ts';
import { handWritten, isEmptied, redacted, redactedWords } from '../../memories/hand-written.ts';
import { knownAlready, presentLearning } from './learnings.ts';
import {
  invalidateBody,
  learningCorrection,
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
  /** Another learning that the request names. */
  readonly otherId?: string | null;
  /** @throws ApiError for who may not; by default all but the owner and admins */
  readonly allowed?: (learning: LockedLearning) => void;
}

/** Returns the error for a closed learning: it names the current one. */
async function closedAlready(transaction: TenantTransaction, id: string): Promise<ApiError> {
  const current = await currentIn(transaction, id);
  if (current === null)
    return new ApiError('CONFLICT', 'the learning was closed', [{ field: 'id', message: 'is closed' }]);
  return new ApiError('CONFLICT', `the learning was replaced; the current version is ${current}`, [
    { field: 'id', message: `the current version is ${current}` },
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
    id: string,
    work: (change: Change) => Promise<string>,
    { otherId = null, allowed = (learning) => requireOwner(principal, learning) }: ChangeOptions = {},
  ) => {
    const { tenantId, userId } = principal;
    const changed = await database.asTenant(tenantId, async (transaction) => {
      const locked = await lockLearnings(transaction, otherId === null ? [id] : [id, otherId]);
      const learning = existing(
        locked.find((row) => row.id === id.toLowerCase()),
        'learning',
      );
      const other = locked.find((row) => row.id === otherId?.toLowerCase());
      allowed(learning);
      if (!learning.open) throw await closedAlready(transaction, id);
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
        'For its owner and admins. Creates and returns a new version, and closes the old one. The second of two concurrent corrections is rejected with CONFLICT and the id of the current version.',
      params: idParams,
      body: learningCorrection,
      ...answers,
    }),
    (request) =>
      change(principalOf(request), request.params.id, async ({ transaction, editor, learning }) => {
        const words = await redactedWords(Object.assign({}, learning, request.body), '', learning);
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
      params: idParams,
      response: {
        200: z.object({ id: z.string(), deleted: z.number().int().describe('Versions') }),
      },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      const { id } = request.params;
      const deleted = await database.asTenant(tenantId, async (transaction) => {
        // One that is closed can be deleted, too.
        const learning = existing((await lockLearnings(transaction, [id]))[0], 'learning');
        await requireOwnerOfAll(transaction, principal, learning);
        return deleteLearning(transaction, { tenantId, userId, embeddingModel }, learning.id);
      });
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return { id, deleted: deleted.length };
    },
  );

  app.post(
    '/learnings/:id/verify',
    route('write', {
      tags: ['learnings'],
      summary: 'Verify a learning',
      description: 'For admins, and for users if RECOLLECT_USERS_VERIFY is set.',
      params: idParams,
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
      params: idParams,
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
      params: idParams,
      body: supersedeBody,
      ...answers,
    }),
    async (request) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const { by } = request.body;
      const reason = reasonOf(request.body.reason);
      if (typeof by === 'string' && by.toLowerCase() === id.toLowerCase()) throw invalid('by', 'is the same learning');
      return change(
        principal,
        id,
        async ({ transaction, editor, learning, other }) => {
          if (typeof by === 'string') {
            if (other === undefined) throw invalid('by', 'there is no such learning');
            if (!other.open) throw invalid('by', 'is closed');
            await closeLearning(transaction, editor, learning.id, { reason, by: other.id });
            return other.id;
          }
          const given = await handWritten(transaction, by, viewerOf(principal), 'by.');
          const written = await supersedeLearning(transaction, editor, learning, given, reason);
          if ('knownId' in written) throw knownAlready(written.knownId, 'by.description');
          return written.id;
        },
        { otherId: typeof by === 'string' ? by : null },
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
