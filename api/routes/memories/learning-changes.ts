import { z } from 'zod';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import {
  closeLearning,
  deleteLearning,
  lockLearnings,
  supersedeLearning,
} from '../../../stores/postgres/learnings/learning-changes.ts';
import { correctLearning } from '../../../stores/postgres/learnings/learning-versions.ts';
import type { StoredLearning } from '../../../stores/postgres/learnings/learning-list.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { existing, invalid } from '../../errors.ts';
import { learningIdOf } from '../../memories/memory-lookup.ts';
import { requireOwnerOfAll } from '../../memories/memory-changes.ts';
import { createLearningChanges, knownAlready, reasonOf } from '../../memories/learning-changes.ts';
import { correctedWords, handWritten, redactedWords } from '../../memories/hand-written.ts';
import { presentLearning } from './learnings.ts';
import {
  invalidateBody,
  learningCorrection,
  learningParams,
  learningSchema,
  reopenBody,
  supersedeBody,
  verifyBody,
  visibilityBody,
} from '../../../contract/learnings.ts';

/** Changes of a learning: correct, delete, verify, unverify, invalidate, reopen, supersede, share. */
export function learningChangeRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, embeddingModel, workflowHints } = dependencies;
  const changes = createLearningChanges(dependencies);
  /** Returns a changed learning, after the hint that its vectors are to be written or removed; the sweep repeats a lost one. */
  const answerOf = async ({ tenantId }: Principal, changed: Promise<StoredLearning>) => {
    const learning = await changed;
    await Promise.allSettled([workflowHints.index(tenantId)]);
    return presentLearning(learning);
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
    (request) => {
      const principal = principalOf(request);
      const corrected = changes.change(principal, request.params.id, async ({ transaction, editor, learning }) => {
        const words = await redactedWords(correctedWords(learning, request.body), '', learning);
        const written = await correctLearning(transaction, editor, learning, words, 'words');
        if ('knownId' in written) throw knownAlready(written.knownId);
        return written.id;
      });
      return answerOf(principal, corrected);
    },
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
    (request) => {
      const principal = principalOf(request);
      return answerOf(principal, changes.verify(principal, request.params.id, request.body.note));
    },
  );

  app.post(
    '/learnings/:id/unverify',
    route('write', {
      tags: ['learnings'],
      summary: 'Take the verification of a learning back',
      description: 'For those who may verify it. Creates no version; the audit log records who did it.',
      params: learningParams,
      ...answers,
    }),
    (request) => {
      const principal = principalOf(request);
      return answerOf(principal, changes.unverify(principal, request.params.id));
    },
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
    (request) => {
      const principal = principalOf(request);
      return answerOf(principal, changes.invalidate(principal, request.params.id, reasonOf(request.body.reason)));
    },
  );

  app.post(
    '/learnings/:id/reopen',
    route('write', {
      tags: ['learnings'],
      summary: 'Reopen a closed learning',
      description:
        'For its owner and admins. Creates and returns a new, current version with the words and the evidence of the closed one, which remains closed for the time when it was. Rejected with CONTRADICTED if a current learning contradicts it, and with CONFLICT if a later version or a learning with the same words is current; `details` has the id.',
      params: learningParams,
      body: reopenBody,
      ...answers,
    }),
    (request) => {
      const principal = principalOf(request);
      return answerOf(principal, changes.reopen(principal, request.params.id, reasonOf(request.body.reason)));
    },
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
      const superseded = changes.change(
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
      return answerOf(principal, superseded);
    },
  );

  app.put(
    '/learnings/:id/visibility',
    route('write', {
      tags: ['learnings'],
      summary: 'Share a learning with the tenant, or make it private',
      description:
        'For its owner and admins. Applies to all versions, each of which must belong to the owner, and also to a closed learning. Rejected with CONFLICT if a learning with the same words exists among the shared ones, or the private ones of the owner.',
      params: learningParams,
      body: visibilityBody,
      ...answers,
    }),
    (request) => {
      const principal = principalOf(request);
      const { visibility, version } = request.body;
      return answerOf(principal, changes.share(principal, request.params.id, visibility, version));
    },
  );
}
