import { changeVisibility } from '../../../stores/postgres/learnings/learning-visibility.ts';
import { againIfMet } from '../../../stores/postgres/connection/database-codes.ts';
import { readLearning } from '../../../stores/postgres/learnings/learning-list.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { existing } from '../../errors.ts';
import { learningIdOf } from '../../memories/memory-lookup.ts';
import { lockNewest, requireOwnerOfAll } from '../../memories/memory-changes.ts';
import { knownAlready, presentLearning } from './learnings.ts';
import { learningParams, learningSchema, visibilityBody } from '../../../contract/learnings.ts';

/** `PUT /learnings/:id/visibility`: sharing, and its opposite. */
export function learningVisibilityRoutes(app: Api, { database, workflowHints }: ApiDependencies): void {
  app.put(
    '/learnings/:id/visibility',
    route('write', {
      tags: ['learnings'],
      summary: 'Share a learning with the tenant, or make it private',
      description:
        'For its owner and admins. Applies to all versions, each of which must belong to the owner, and also to a closed learning. Rejected with CONFLICT if a learning with the same words exists among the shared ones, or the private ones of the owner.',
      params: learningParams,
      body: visibilityBody,
      response: { 200: learningSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const change = () =>
        database.asTenant(viewOf(principal), async (transaction) => {
          const id = existing(await learningIdOf(transaction, request.params.id, 'id'), 'learning');
          const learning = await lockNewest(transaction, id, 'learning');
          await requireOwnerOfAll(transaction, principal, learning);
          const { visibility } = request.body;
          const known = await changeVisibility(transaction, tenantId, learning.id, visibility);
          if (known !== null) throw knownAlready(known.knownId, 'visibility');
          return readLearning(transaction, learning.id, viewerOf(principal));
        });
      // Others may write the same words meanwhile: the second attempt finds them.
      const changed = await againIfMet(2, change);
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return presentLearning(existing(changed, 'learning'));
    },
  );
}
