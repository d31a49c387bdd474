import { z } from 'zod';
import { ENTITY_TYPES, MENTION_SOURCES, RELATION_TYPES, entityName } from '../../../domain/graph/graph.ts';
import type { EntityType } from '../../../domain/graph/graph.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { isMentionedVisibly, isOfShownSession } from '../erasure/restricted.ts';
import { idsOf, rowOf } from '../connection/rows.ts';

export interface NeighbourhoodQuery {
  readonly projectId?: string | undefined;
  readonly namespace?: string | undefined;
  /** Start: one entity, or those whose name contains a text; without either those with the highest weight. */
  readonly nodeId?: string | undefined;
  readonly query?: string | undefined;
  readonly type?: EntityType | undefined;
  /** Relations followed from there. */
  readonly depth: 1 | 2;
  /** Entities, 1 to 200; of relations and evidence there are bounds that follow from it. */
  readonly limit: number;
  /** False: without evidence, which is the larger part. */
  readonly evidence?: boolean | undefined;
  /** User whose sessions may be quoted; undefined: an admin, who sees all of the tenant. */
  readonly viewerId: string | undefined;
}

/** Entities that a text or nothing leads to: the question begins at these. */
const MAX_SEEDS = 10;
/** Relations followed from one entity, the weightiest first: hubs (a project, a common file) have thousands. */
const MAX_RELATIONS_OF_ENTITY = 40;
const MAX_EVIDENCE = 5;
const NO_EVIDENCE: ReadonlyMap<string, readonly GraphEvidence[]> = new Map();

const evidenceRow = rowOf({
  owner: z.string(),
  session_id: z.string(),
  source_type: z.enum(MENTION_SOURCES),
  source_id: z.string(),
  /** Null if there is none or it is of another user. */
  quote: z.string().nullable(),
  occurred_at: z.date(),
});
export type GraphEvidence = Omit<z.output<typeof evidenceRow>, 'owner'>;

const entityRow = rowOf({
  id: z.string(),
  type: z.enum(ENTITY_TYPES),
  name: z.string(),
  label: z.string(),
  weight: z.number(),
  first_seen: z.date(),
  last_seen: z.date(),
  project_id: z.string().nullable(),
  namespace: z.string(),
});
const relationRow = rowOf({
  id: z.string(),
  type: z.enum(RELATION_TYPES),
  from_id: z.string(),
  to_id: z.string(),
  weight: z.number(),
  first_seen: z.date(),
  last_seen: z.date(),
});
type Relation = z.output<typeof relationRow>;

export type GraphEntity = z.output<typeof entityRow> & {
  /** Steps from where the question began. */
  readonly distance: number;
  /** The newest, at most five. */
  readonly mentions: readonly GraphEvidence[];
};

export interface Neighbourhood {
  readonly entities: readonly GraphEntity[];
  /** The newest evidence, at most five pieces. */
  readonly relations: readonly (Relation & { readonly evidence: readonly GraphEvidence[] })[];
}

/**
 * Entities around a place in the graph, the nearest and weightiest first, and the relations between them, each with its evidence. Every step reads by
 * index and within bounds: a hub gives its weightiest relations alone. An entity that is not there answers nothing.
 */
export async function readNeighbourhood(
  transaction: TenantTransaction,
  query: NeighbourhoodQuery,
): Promise<Neighbourhood> {
  const limit = Math.max(1, Math.min(200, query.limit));
  const distances = new Map((await seeds(transaction, query, limit)).map((id) => [id, 0]));
  const relations = new Map<string, Relation>();
  let edge = [...distances.keys()];
  for (let distance = 1; distance <= query.depth && edge.length > 0 && distances.size < limit; distance += 1) {
    const found = await relationsOf(transaction, edge);
    const next: string[] = [];
    for (const relation of found) {
      for (const id of [relation.fromId, relation.toId]) {
        if (distances.has(id) || distances.size >= limit) continue;
        distances.set(id, distance);
        next.push(id);
      }
    }
    for (const relation of found) relations.set(relation.id, relation);
    edge = next;
  }
  const entities = await readEntities(transaction, distances, query);
  const ids = new Set(entities.map(({ id }) => id));
  const shown = [...relations.values()].filter((relation) => ids.has(relation.fromId) && ids.has(relation.toId));
  const shownIds = shown.map((relation) => relation.id);
  const evidence = query.evidence === false ? NO_EVIDENCE : await evidenceOf(transaction, shownIds, query.viewerId);
  return {
    entities,
    relations: shown.map((relation) => ({ ...relation, evidence: evidence.get(relation.id) ?? [] })),
  };
}

const NAMED = Prisma.raw(isMentionedVisibly('entity_mentions', 'entity_id', 'entities.id'));
const RELATED = Prisma.raw(isMentionedVisibly('relation_evidence', 'relation_id', 'relations.id'));
const SHOWN = Prisma.raw(isOfShownSession('session_id'));

async function seeds(transaction: TenantTransaction, query: NeighbourhoodQuery, limit: number): Promise<string[]> {
  const where = [
    Prisma.sql`tenant_id = (SELECT current_tenant_id())`,
    NAMED,
    ...(query.projectId === undefined ? [] : [Prisma.sql`project_id = ${query.projectId}::uuid`]),
    ...(query.namespace === undefined ? [] : [Prisma.sql`namespace = ${query.namespace}`]),
    ...(query.type === undefined ? [] : [Prisma.sql`type = ${query.type}`]),
    ...(query.nodeId === undefined ? [] : [Prisma.sql`id = ${query.nodeId}::uuid`]),
    ...(query.query === undefined ? [] : [Prisma.sql`position(${entityName(query.query)} IN name) > 0`]),
  ];
  // By weight along an index: if many names contain a text, those with the highest weight are found quickly, without a sort.
  const take = query.query === undefined && query.nodeId === undefined ? limit : Math.min(limit, MAX_SEEDS);
  const rows = await transaction.$queryRaw`
    SELECT id FROM entities WHERE ${Prisma.join(where, ' AND ')} ORDER BY weight DESC, id LIMIT ${take}`;
  return idsOf(rows);
}

async function relationsOf(transaction: TenantTransaction, ids: readonly string[]): Promise<Relation[]> {
  const rows = await transaction.$queryRaw`
    SELECT DISTINCT ON (found.weight, found.id) found.* FROM unnest(${ids}::uuid[]) AS wanted(id)
     CROSS JOIN LATERAL (
       (SELECT id, type, from_id, to_id, weight, first_seen, last_seen FROM relations WHERE from_id = wanted.id AND ${RELATED} ORDER BY weight DESC, id LIMIT ${MAX_RELATIONS_OF_ENTITY})
       UNION ALL
       (SELECT id, type, from_id, to_id, weight, first_seen, last_seen FROM relations WHERE to_id = wanted.id AND ${RELATED} ORDER BY weight DESC, id LIMIT ${MAX_RELATIONS_OF_ENTITY})
     ) AS found ORDER BY found.weight DESC, found.id`;
  return z.array(relationRow).parse(rows);
}

async function readEntities(
  transaction: TenantTransaction,
  distances: ReadonlyMap<string, number>,
  query: NeighbourhoodQuery,
): Promise<GraphEntity[]> {
  const ids = [...distances.keys()];
  const rows = z.array(entityRow).parse(
    await transaction.$queryRaw`
      SELECT id, type, name, label, weight, first_seen, last_seen, project_id, namespace FROM entities WHERE id = ANY (${ids}::uuid[]) AND ${NAMED} ORDER BY weight DESC, id`,
  );
  const mentions = query.evidence === false ? NO_EVIDENCE : await mentionsOf(transaction, ids, query.viewerId);
  return rows
    .map((row) => ({ ...row, distance: distances.get(row.id) ?? 0, mentions: mentions.get(row.id) ?? [] }))
    .toSorted((a, b) => a.distance - b.distance);
}

async function mentionsOf(
  transaction: TenantTransaction,
  ids: readonly string[],
  viewerId: string | undefined,
): Promise<ReadonlyMap<string, readonly GraphEvidence[]>> {
  return groupEvidence(
    await transaction.$queryRaw`
      SELECT wanted.id AS owner, m.session_id, m.source_type, m.source_id, ${quoteFor(viewerId)}, m.occurred_at FROM unnest(${ids}::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT * FROM entity_mentions WHERE entity_id = wanted.id AND ${SHOWN} ORDER BY occurred_at DESC, source_id LIMIT ${MAX_EVIDENCE}) AS m`,
  );
}

async function evidenceOf(
  transaction: TenantTransaction,
  ids: readonly string[],
  viewerId: string | undefined,
): Promise<ReadonlyMap<string, readonly GraphEvidence[]>> {
  return groupEvidence(
    await transaction.$queryRaw`
      SELECT wanted.id AS owner, m.session_id, m.source_type, m.source_id, ${quoteFor(viewerId)}, m.occurred_at FROM unnest(${ids}::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT * FROM relation_evidence WHERE relation_id = wanted.id AND ${SHOWN} ORDER BY occurred_at DESC, source_id LIMIT ${MAX_EVIDENCE}) AS m`,
  );
}

/** For the owner of the session and admins: the quotes of a summary or learning are captured text, too. */
function quoteFor(viewerId: string | undefined): Prisma.Sql {
  if (viewerId === undefined) return Prisma.sql`m.quote`;
  return Prisma.sql`
    CASE WHEN EXISTS (SELECT FROM sessions s WHERE s.id = m.session_id AND s.user_id = ${viewerId}::uuid)
         THEN m.quote END AS quote`;
}

function groupEvidence(rows: unknown): ReadonlyMap<string, readonly GraphEvidence[]> {
  const groups = new Map<string, GraphEvidence[]>();
  for (const { owner, ...piece } of z.array(evidenceRow).parse(rows)) {
    const group = groups.get(owner) ?? [];
    groups.set(owner, group);
    group.push(piece);
  }
  return groups;
}
