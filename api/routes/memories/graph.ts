import { noSuch } from '../../errors.ts';
import type { z } from 'zod';
import { readNeighbourhood } from '../../../stores/postgres/graph/graph.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { filterIds } from '../../subjects.ts';
import { graphQuery, graphSchema, graphEvidence } from '../../../contract/graph.ts';
import type { GraphEvidence, Neighbourhood } from '../../../stores/postgres/graph/graph.ts';

function evidenceOf(pieces: readonly GraphEvidence[]): z.input<typeof graphEvidence>[] {
  return pieces.map((piece) => present(graphEvidence, piece));
}

export function presentGraph({ entities, relations }: Neighbourhood): z.input<typeof graphSchema> {
  const { nodes, edges } = graphSchema.shape;
  return {
    nodes: entities.map((entity) => present(nodes.element, { ...entity, evidence: evidenceOf(entity.mentions) })),
    edges: relations.map((relation) =>
      present(edges.element, {
        ...relation,
        from: relation.fromId,
        to: relation.toId,
        evidence: evidenceOf(relation.evidence),
      }),
    ),
  };
}

/** `GET /graph`: entities and relations around a node or a text; without either, around the weightiest. */
export function graphRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/graph',
    route('read', {
      tags: ['graph'],
      summary: 'Get entities and relations around a node or a text',
      description:
        'Returns nodes by distance, then weight. Of a hub, only the relations of highest weight are returned. Quotes of prompts and observations are visible to the owner of the session and to admins.',
      querystring: graphQuery,
      response: { 200: graphSchema },
    }),
    async (request) => {
      const { node, q, type, project, namespace, depth, limit, evidence } = request.query;
      const principal = principalOf(request);
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const ids = await filterIds(transaction, principal, { project });
        if (ids === null) return { entities: [], relations: [] };
        return readNeighbourhood(transaction, {
          projectId: ids.projectId,
          namespace,
          nodeId: node,
          query: q,
          type,
          depth,
          limit,
          evidence,
          viewerId: viewerOf(principal),
        });
      });
      if (node !== undefined && found.entities.length === 0) throw noSuch('node');
      return presentGraph(found);
    },
  );
}
