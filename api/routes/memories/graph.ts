import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ENTITY_TYPES } from '../../../domain/graph/graph.ts';
import { readNeighbourhood } from '../../../stores/postgres/graph/graph.ts';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { principalOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { graphSchema, presentGraph } from '../../../contract/graph.ts';
import { ERROR_RESPONSES, namespaceName } from '../../../contract/shared.ts';
import { numeric } from '../../../contract/query.ts';
import { line, text } from '../../../contract/text.ts';

const graphQuery = z
  .strictObject({
    node: z.uuid().optional().describe('Id of an entity'),
    q: line(200).optional().describe('A piece of the names to begin at, in the place of node'),
    type: z.enum(ENTITY_TYPES).optional().describe('Of what the question begins at'),
    project: text(2048).optional(),
    namespace: namespaceName.optional(),
    depth: numeric(z.literal([1, 2])).prefault(1),
    limit: numeric(z.number().int().min(1).max(200)).prefault(50).describe('Nodes'),
  })
  .refine((query) => query.node === undefined || query.q === undefined, {
    path: ['q'],
    message: 'says another beginning than node',
  });

/** `GET /graph`: entities and relations around a node or a text; without either, around the weightiest. */
export function graphRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/graph',
      {
        config: { access: 'read' },
        schema: {
          tags: ['graph'],
          summary: 'Entities and relations around a node or a text',
          description:
            'Nodes the nearest and weightiest first. A hub shows its weightiest relations alone. Quotes of prompts and observations are shown to whose session it was and to admins.',
          querystring: graphQuery,
          response: { 200: graphSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { node, q, type, project, namespace, depth, limit } = request.query;
        const holder = principalOf(request);
        const found = await database.asTenant(holder.tenantId, async (transaction) => {
          const known = project === undefined ? undefined : await findProject(transaction, project);
          if (known === null) return { entities: [], relations: [] };
          return readNeighbourhood(transaction, {
            projectId: known?.id,
            namespace,
            nodeId: node,
            query: q,
            type,
            depth,
            limit,
            viewerId: viewerOf(holder),
          });
        });
        if (node !== undefined && found.entities.length === 0) throw new ApiError('NOT_FOUND', 'there is no such node');
        return presentGraph(found);
      },
    );
    done();
  };
}
