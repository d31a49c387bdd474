import { z } from 'zod';
import { ENTITY_TYPES, MENTION_SOURCES, RELATION_TYPES } from '../domain/graph/graph.ts';
import { line, text } from './text.ts';
import { namespaceName } from './shared.ts';
import { flag, numeric } from './query.ts';

export const graphEvidence = z.object({
  session_id: z.string(),
  source_type: z.enum(MENTION_SOURCES),
  source_id: z.string(),
  quote: z
    .string()
    .nullable()
    .describe("Verbatim quote; null if there is none, and for another user's prompts and observations"),
  occurred_at: z.string(),
});

export const graphSchema = z
  .object({
    nodes: z.array(
      z.object({
        id: z.string(),
        type: z.enum(ENTITY_TYPES),
        name: z.string(),
        label: z.string().describe('Label in its first spelling'),
        weight: z.number().describe('Sum over sessions of 1 + ln(mentions in the session); nodes are ranked by it'),
        distance: z.number().int().describe('Number of relations between this node and the start'),
        project_id: z.string().nullable(),
        namespace: z.string(),
        first_seen: z.string(),
        last_seen: z.string(),
        evidence: z.array(graphEvidence).describe('Newest evidence, at most five; empty if `evidence` is false'),
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
        evidence: z.array(graphEvidence).describe('Newest evidence, at most five; empty if `evidence` is false'),
      }),
    ),
  })
  .meta({ id: 'Graph' });

export const graphQuery = z
  .strictObject({
    node: z.uuid().optional().describe('Id of the entity to start at'),
    q: line(200).optional().describe('Part of the names of entities to start at; alternative to `node`'),
    type: z.enum(ENTITY_TYPES).optional().describe('Type of the entities to start at'),
    project: text(2048).optional(),
    namespace: namespaceName.optional(),
    depth: numeric(z.literal([1, 2])).prefault(1),
    limit: numeric(z.number().int().min(1).max(200)).prefault(50).describe('Maximum number of nodes'),
    evidence: flag().prefault(true).describe('Include the evidence of nodes and edges'),
  })
  .refine((query) => query.node === undefined || query.q === undefined, {
    path: ['q'],
    message: 'cannot be combined with node',
  });
