import { z } from 'zod';
import { learningBatch, learningBatchItem } from '../../../contract/learnings.ts';
import { memoryHash } from '../../../domain/memory.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { StoredLearning } from '../../../stores/postgres/learnings/learning-list.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ERROR_STATUS, toApiError } from '../../errors.ts';
import { createLearningChanges, reasonOf } from '../../memories/learning-changes.ts';

const UNAVAILABLE = 500;

/** `POST /learnings/batch`: one change of many learnings, by the rules of the routes for one. */
export function learningBatchRoutes(app: Api, dependencies: ApiDependencies): void {
  const changes = createLearningChanges(dependencies);

  /** Returns the change of one learning. @throws ApiError VALIDATION_FAILED for a reason that cannot be stored */
  const changeOf = (
    principal: Principal,
    body: z.output<typeof learningBatch>,
  ): ((name: string) => Promise<StoredLearning>) => {
    switch (body.action) {
      case 'verify':
        return (name) => changes.verify(principal, name, body.note);
      case 'unverify':
        return (name) => changes.unverify(principal, name);
      case 'invalidate':
      case 'reopen': {
        const reason = reasonOf(body.reason);
        return (name) => changes[body.action](principal, name, reason);
      }
      case 'share':
      case 'unshare':
        return (name) => changes.share(principal, name, body.action === 'share' ? 'shared' : 'private');
    }
  };

  app.post(
    '/learnings/batch',
    route('write', {
      tags: ['learnings'],
      summary: 'Verify, unverify, invalidate, reopen, share or unshare many learnings',
      description:
        'Changes at most 100 learnings, each in its own transaction, and returns one item per id, in order. A rejected item does not affect the others. If the storage fails meanwhile, the request fails; a repetition rejects the items that are changed already.',
      body: learningBatch,
      response: { 200: z.object({ items: z.array(learningBatchItem) }) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const change = changeOf(principal, request.body);
      const items: z.output<typeof learningBatchItem>[] = [];
      for (const [index, name] of request.body.ids.entries()) {
        try {
          const { id } = await change(name);
          const item = { index, id, hash: memoryHash(id), code: null, message: null, details: [] };
          items.push({ ...item, status: 'changed' });
        } catch (error) {
          const known = toApiError(error);
          if (ERROR_STATUS[known.code] >= UNAVAILABLE) throw error;
          const { code, message, details } = known;
          items.push({ index, status: 'rejected', id: null, hash: null, code, message, details: [...details] });
        }
      }
      await Promise.allSettled([dependencies.workflowHints.index(principal.tenantId)]);
      return { items };
    },
  );
}
