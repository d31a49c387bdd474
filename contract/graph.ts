import { z } from 'zod';
import { ENTITY_TYPES, MENTION_SOURCES, RELATION_TYPES } from '../domain/graph/graph.ts';
import { line, text } from './text.ts';
import { namespaceName } from './shared.ts';
import { numeric } from './query.ts';

export const graphEvidence = z.object({
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

export const graphQuery = z
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
    message: 'cannot be combined with node',
  });
