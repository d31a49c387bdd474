import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { readNeighbourhood } from '../../../stores/postgres/graph/graph.ts';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { principalOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { graphQuery, graphSchema } from '../../../contract/graph.ts';
import type { graphEvidence } from '../../../contract/graph.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import type { GraphEvidence, Neighbourhood } from '../../../stores/postgres/graph/graph.ts';

function evidenceOf(pieces: readonly GraphEvidence[]): z.input<typeof graphEvidence>[] {
  return pieces.map((piece) => ({
    session_id: piece.sessionId,
    source_type: piece.sourceType,
    source_id: piece.sourceId,
    quote: piece.quote,
    occurred_at: piece.occurredAt.toISOString(),
  }));
}

export function presentGraph({ entities, relations }: Neighbourhood): z.input<typeof graphSchema> {
  return {
    nodes: entities.map((entity) => ({
      id: entity.id,
      type: entity.type,
      name: entity.name,
      label: entity.label,
      weight: entity.weight,
      distance: entity.distance,
      project_id: entity.projectId,
      namespace: entity.namespace,
      first_seen: entity.firstSeen.toISOString(),
      last_seen: entity.lastSeen.toISOString(),
      evidence: evidenceOf(entity.mentions),
    })),
    edges: relations.map((relation) => ({
      id: relation.id,
      type: relation.type,
      from: relation.fromId,
      to: relation.toId,
      weight: relation.weight,
      first_seen: relation.firstSeen.toISOString(),
      last_seen: relation.lastSeen.toISOString(),
      evidence: evidenceOf(relation.evidence),
    })),
  };
}

/** `GET /graph`: entities and relations around a node or a text; without either, around the weightiest. */
export function graphRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/graph',
      {
        config: { access: 'read' },
        schema: {
          tags: ['graph'],
          summary: 'Get entities and relations around a node or a text',
          description:
            'Returns nodes by distance, then weight. Of a hub, only the relations of highest weight are returned. Quotes of prompts and observations are visible to the owner of the session and to admins.',
          querystring: graphQuery,
          response: { 200: graphSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { node, q, type, project, namespace, depth, limit } = request.query;
        const principal = principalOf(request);
        const found = await database.asTenant(principal.tenantId, async (transaction) => {
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
            viewerId: viewerOf(principal),
          });
        });
        if (node !== undefined && found.entities.length === 0) throw new ApiError('NOT_FOUND', 'there is no such node');
        return presentGraph(found);
      },
    );
    done();
  };
}
