import { z } from 'zod';
import { ENTITY_TYPES, MENTION_SOURCES, RELATION_TYPES } from '../domain/graph/graph.ts';
import type { GraphEvidence, Neighbourhood } from '../stores/postgres/graph/graph.ts';

const graphEvidence = z.object({
  session_id: z.string(),
  source_type: z.enum(MENTION_SOURCES),
  source_id: z.string(),
  quote: z.string().nullable().describe("Null where there is none, and for another user's prompts and observations"),
  occurred_at: z.string(),
});

export const graphSchema = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string(),
        type: z.enum(ENTITY_TYPES),
        name: z.string(),
        label: z.string().describe('As it was first written'),
        weight: z.number(),
        distance: z.number().int().describe('Steps from where the question began'),
        project_id: z.string().nullable(),
        namespace: z.string(),
        first_seen: z.string(),
        last_seen: z.string(),
        evidence: z.array(graphEvidence).describe('The newest, five at most'),
      }),
    ),
    edges: z.array(
      z.object({
        id: z.string(),
        type: z.enum(RELATION_TYPES),
        from: z.string(),
        to: z.string(),
        weight: z.number(),
        first_seen: z.string(),
        last_seen: z.string(),
        evidence: z.array(graphEvidence).describe('The newest, five at most'),
      }),
    ),
  })
  .meta({ id: 'Graph' });

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
