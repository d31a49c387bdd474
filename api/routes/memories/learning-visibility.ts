import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { createLearningChanges } from '../../memories/learning-changes.ts';
import { presentLearning } from './learnings.ts';
import { learningParams, learningSchema, visibilityBody } from '../../../contract/learnings.ts';

/** `PUT /learnings/:id/visibility`: sharing, and its opposite. */
export function learningVisibilityRoutes(app: Api, dependencies: ApiDependencies): void {
  const changes = createLearningChanges(dependencies);
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
      const { visibility, version } = request.body;
      const changed = await changes.share(principal, request.params.id, visibility, version);
      await Promise.allSettled([dependencies.workflowHints.index(principal.tenantId)]);
      return presentLearning(changed);
    },
  );
}
