import { z } from 'zod';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType, RecallFilter } from '../../../domain/ports/vector-index.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantRead } from '../connection/database.ts';
import { isNotRestricted } from '../erasure/restricted.ts';

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly weight: number;
}

/** Neighbours of the entities that a query names: at most two relations distant, with the newest memories that mention them. */
export interface NamedSurroundings {
  /** Named entities with the number of memories that mention each, counted up to a limit. */
  readonly seeds: readonly { readonly id: string; readonly mentions: number }[];
  readonly edges: readonly GraphEdge[];
  readonly mentions: readonly {
    readonly entityId: string;
    readonly memoryId: string;
    readonly memoryType: MemoryType;
    readonly sessionId: string;
  }[];
}

const MAX_SEEDS = 5;
/** Relations followed from one entity, weightiest first, at the first and at the second step. */
const FIRST_STEP = 12;
const SECOND_STEP = 5;
const MAX_ENTITIES = 60;
/** The newest of those that mention an entity. */
export const MENTIONS_OF_ENTITY = 6;
const MOST_COUNTED = 100;

/** One relation step, both ways, each within its index. */
const stepFrom = (source: string, most: number) => `
      SELECT r.from_id, r.to_id, r.weight FROM ${source} AS known CROSS JOIN LATERAL (
        (SELECT from_id, to_id, weight FROM relations WHERE from_id = known.id ORDER BY weight DESC, id LIMIT ${most})
        UNION ALL
        (SELECT from_id, to_id, weight FROM relations WHERE to_id = known.id ORDER BY weight DESC, id LIMIT ${most})) AS r`;

const SURROUNDINGS = `
    WITH seeds AS MATERIALIZED (SELECT find_entities AS id FROM find_entities($1::uuid, $2::text[], $3::uuid, $4::text, ${MAX_SEEDS})),
    first_step AS MATERIALIZED (${stepFrom('seeds', FIRST_STEP)}),
    near AS MATERIALIZED (
      SELECT DISTINCT id FROM (SELECT from_id AS id FROM first_step UNION ALL SELECT to_id FROM first_step) AS ends WHERE id NOT IN (SELECT id FROM seeds) LIMIT ${MAX_ENTITIES}),
    second_step AS MATERIALIZED (${stepFrom('near', SECOND_STEP)}),
    edges AS (SELECT DISTINCT * FROM (SELECT * FROM first_step UNION ALL SELECT * FROM second_step) AS every_step),
    reached AS (
      SELECT id FROM seeds UNION ALL SELECT id FROM near),
    mentioned AS (
      SELECT DISTINCT ON (r.id, m.source_id) r.id AS entity_id, m.source_id, m.source_type, m.session_id FROM reached r CROSS JOIN LATERAL (
        SELECT em.source_id, em.source_type, em.session_id FROM entity_mentions em JOIN sessions s ON s.id = em.session_id
         WHERE em.entity_id = r.id AND s.status <> 'deleted' AND ${isNotRestricted('s.id', 's.user_id')} AND ($5::text[] IS NULL OR em.source_type = ANY ($5)) AND ($3::uuid IS NULL OR s.project_id = $3)
           AND ($4::text IS NULL OR s.namespace = $4) AND ($6::uuid IS NULL OR s.id = $6) AND s.id IS DISTINCT FROM $11::uuid AND ($7::timestamptz IS NULL OR em.occurred_at >= $7)
           AND ($8::timestamptz IS NULL OR em.occurred_at < $8) AND ($9::timestamptz IS NULL OR em.occurred_at <= $9)
           AND ($10::uuid IS NULL OR em.source_type IN ('summary', 'learning') OR s.user_id = $10)
         ORDER BY em.occurred_at DESC, em.source_id LIMIT ${MENTIONS_OF_ENTITY}) AS m
       ORDER BY r.id, m.source_id, m.session_id)
    SELECT 'seed' AS what, id AS one, NULL::uuid AS other,
           (SELECT count(*) FROM (SELECT 1 FROM entity_mentions em WHERE em.entity_id = seeds.id LIMIT ${MOST_COUNTED}) AS counted)::real AS weight,
           NULL AS type, NULL::uuid AS session_id FROM seeds
    UNION ALL SELECT 'edge', from_id, to_id, weight, NULL, NULL FROM edges
    UNION ALL SELECT 'mention', entity_id, source_id, 0, source_type, session_id FROM mentioned`;

const row = z.discriminatedUnion('what', [
  z.object({ what: z.literal('seed'), one: z.string(), weight: z.number() }),
  z.object({ what: z.literal('edge'), one: z.string(), other: z.string(), weight: z.number() }),
  z.object({
    what: z.literal('mention'),
    one: z.string(),
    other: z.string(),
    type: z.enum(MEMORY_TYPES),
    session_id: z.string(),
  }),
]);

/** Reads the surroundings of entities that bear one of these names (lower case), in one statement and within bounds. */
export async function readSurroundings(
  read: TenantRead,
  tenantId: TenantId,
  names: readonly string[],
  filter: RecallFilter,
): Promise<NamedSurroundings> {
  const values = [
    tenantId,
    names,
    filter.projectId ?? null,
    filter.namespace ?? null,
    filter.types ?? null,
    filter.sessionId ?? null,
    filter.since ?? null,
    filter.until ?? null,
    filter.asOf ?? null,
    filter.viewerId ?? null,
    filter.excludeSessionId ?? null,
  ];
  const rows = z.array(row).parse(await read({ name: 'read_surroundings', text: SURROUNDINGS, values }));
  return {
    seeds: rows.flatMap((each) => (each.what === 'seed' ? [{ id: each.one, mentions: each.weight }] : [])),
    edges: rows.flatMap((each) =>
      each.what === 'edge' ? [{ from: each.one, to: each.other, weight: each.weight }] : [],
    ),
    mentions: rows.flatMap((each) =>
      each.what === 'mention'
        ? [{ entityId: each.one, memoryId: each.other, memoryType: each.type, sessionId: each.session_id }]
        : [],
    ),
  };
}
