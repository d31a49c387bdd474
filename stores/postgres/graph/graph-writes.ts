import { v7 } from 'uuid';
import { z } from 'zod';
import type { Mention, SessionGraph } from '../../../domain/graph/graph.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';
import { dropGlossaries } from './glossary.ts';
import { inProject } from '../learnings/learning-neighbours.ts';
import type { LearningContext } from '../learnings/learnings.ts';

const placedId = z.array(z.object({ id: z.string(), place: z.number() }));
/** Concurrent transactions may delete rows between insert and lock; more attempts than this are hardly ever needed. */
const PLACINGS = 5;
/** Mentions of one entity, or pieces of evidence of one relation, that are counted: those of a thousand sessions and more. */
const MAX_WEIGHED = 10_000;

/** Entities of a session were deleted repeatedly while it was written. Its code identifies it as a conflict. */
class GraphPruned extends Error {
  override readonly name = 'GraphPruned';
  readonly code = '40001';
}

/**
 * Returns the ids of `count` rows by position: inserts missing rows, then locks all against deletion until this transaction ends. Rows
 * deleted in between are inserted again. @throws GraphPruned
 */
async function placed(
  count: number,
  write: () => Promise<unknown>,
  lock: () => Promise<unknown>,
): Promise<ReadonlyMap<number, string>> {
  for (let placing = 0; placing < PLACINGS; placing += 1) {
    await write();
    const found = placedId.parse(await lock());
    if (found.length === count) return new Map(found.map(({ id, place }) => [place - 1, id]));
  }
  throw new GraphPruned('the graph was pruned while it was written');
}

/** Columns of mentions, one array each, so that one statement takes any number of them. */
function columnsOf(rows: readonly { readonly owner: string; readonly mention: Mention }[]) {
  return {
    owners: rows.map(({ owner }) => owner),
    sources: rows.map(({ mention }) => mention.sourceId),
    types: rows.map(({ mention }) => mention.sourceType),
    quotes: rows.map(({ mention }) => mention.quote ?? ''),
    times: rows.map(({ mention }) => new Date(mention.occurredAtMs).toISOString()),
  };
}

/**
 * Writes a session's part of the graph: existing entities remain, mentions are added once, and weights are computed from them. Idempotent.
 * The caller must have called `lockLearnings`.
 */
export async function writeGraph(
  transaction: TenantTransaction,
  { tenantId, sessionId, projectId, namespace }: Omit<LearningContext, 'userId' | 'ownerId' | 'validFrom'>,
  graph: SessionGraph,
): Promise<void> {
  if (graph.entities.length === 0) return;
  const types = graph.entities.map((entity) => entity.type);
  const names = graph.entities.map((entity) => entity.name);
  const writeEntities = () => transaction.$executeRaw`
    INSERT INTO entities (id, tenant_id, project_id, namespace, type, name, label, first_seen, last_seen)
    SELECT given.id, ${tenantId}::uuid, ${projectId}::uuid, ${namespace}, given.type, given.name, given.label, given.seen, given.seen
      FROM unnest(${names.map(() => v7())}::uuid[], ${types}::text[], ${names}::text[], ${graph.entities.map((entity) => entity.label)}::text[],
                  ${graph.entities.map((entity) => new Date(entity.mentions[0]?.occurredAtMs ?? 0).toISOString())}::timestamptz[]) AS given(id, type, name, label, seen)
    ON CONFLICT (tenant_id, project_id, namespace, type, name) DO NOTHING`;
  const lockEntities = () => transaction.$queryRaw`
    SELECT e.id, given.place::integer AS place FROM unnest(${types}::text[], ${names}::text[]) WITH ORDINALITY AS given(type, name, place)
      JOIN entities e ON e.tenant_id = ${tenantId}::uuid AND ${inProject(projectId)} AND e.namespace = ${namespace} AND e.type = given.type AND e.name = given.name
     ORDER BY e.id FOR KEY SHARE OF e`;
  const ids = await placed(names.length, writeEntities, lockEntities);
  const idAt = (place: number) => ids.get(place) ?? '';
  const mentions = columnsOf(
    graph.entities.flatMap((entity, place) => entity.mentions.map((mention) => ({ owner: idAt(place), mention }))),
  );
  await transaction.$executeRaw`
    INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
    SELECT given.owner, ${sessionId}::uuid, given.source, given.type, ${tenantId}::uuid, nullif(given.quote, ''), given.seen
      FROM unnest(${mentions.owners}::uuid[], ${mentions.sources}::uuid[], ${mentions.types}::text[], ${mentions.quotes}::text[], ${mentions.times}::timestamptz[])
             AS given(owner, source, type, quote, seen)
    ON CONFLICT DO NOTHING`;
  const relationIds = await writeRelations(transaction, tenantId, sessionId, graph, idAt);
  await weighEntities(transaction, [...ids.values()]);
  await weighRelations(transaction, relationIds);
}

async function writeRelations(
  transaction: TenantTransaction,
  tenantId: string,
  sessionId: string,
  { relations }: SessionGraph,
  idAt: (place: number) => string,
): Promise<readonly string[]> {
  if (relations.length === 0) return [];
  const from = relations.map((relation) => idAt(relation.from));
  const to = relations.map((relation) => idAt(relation.to));
  const types = relations.map((relation) => relation.type);
  const write = () => transaction.$executeRaw`
    INSERT INTO relations (id, tenant_id, from_id, to_id, type, first_seen, last_seen)
    SELECT given.id, ${tenantId}::uuid, given.from_id, given.to_id, given.type, given.seen, given.seen
      FROM unnest(${from.map(() => v7())}::uuid[], ${from}::uuid[], ${to}::uuid[], ${types}::text[],
                  ${relations.map((relation) => new Date(relation.evidence[0]?.occurredAtMs ?? 0).toISOString())}::timestamptz[]) AS given(id, from_id, to_id, type, seen)
    ON CONFLICT (from_id, to_id, type) DO NOTHING`;
  const lock = () => transaction.$queryRaw`
    SELECT r.id, given.place::integer AS place FROM unnest(${from}::uuid[], ${to}::uuid[], ${types}::text[]) WITH ORDINALITY AS given(from_id, to_id, type, place)
      JOIN relations r ON r.from_id = given.from_id AND r.to_id = given.to_id AND r.type = given.type
     ORDER BY r.id FOR KEY SHARE OF r`;
  const ids = await placed(relations.length, write, lock);
  const evidence = columnsOf(
    relations.flatMap((relation, place) =>
      relation.evidence.map((mention) => ({ owner: ids.get(place) ?? '', mention })),
    ),
  );
  await transaction.$executeRaw`
    INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
    SELECT given.owner, ${sessionId}::uuid, given.source, given.type, ${tenantId}::uuid, nullif(given.quote, ''), given.seen
      FROM unnest(${evidence.owners}::uuid[], ${evidence.sources}::uuid[], ${evidence.types}::text[], ${evidence.quotes}::text[], ${evidence.times}::timestamptz[])
             AS given(owner, source, type, quote, seen)
    ON CONFLICT DO NOTHING`;
  return [...ids.values()];
}

/**
 * Counts weights from mentions: the sum over sessions of 1 + ln(mentions in the session), so that one long session does not outweigh two short ones.
 * The newest count: what every session names (the project) would take longer to weigh with each of them.
 */
export async function weighEntities(transaction: TenantTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.$executeRaw`
    UPDATE entities e SET weight = computed.weight, last_seen = computed.last_seen, first_seen = (SELECT min(m.occurred_at) FROM entity_mentions m WHERE m.entity_id = e.id)
      FROM (SELECT id, sum(1 + ln(mentions))::real AS weight, max(last_seen) AS last_seen
              FROM (SELECT wanted.id, count(*) AS mentions, max(m.occurred_at) AS last_seen FROM unnest(${ids}::uuid[]) AS wanted(id)
                     CROSS JOIN LATERAL (SELECT session_id, occurred_at FROM entity_mentions WHERE entity_id = wanted.id ORDER BY occurred_at DESC, source_id LIMIT ${MAX_WEIGHED}) AS m
                     GROUP BY wanted.id, m.session_id) AS of_session
             GROUP BY id) AS computed
     WHERE e.id = computed.id`;
}

/** As {@link weighEntities}. */
export async function weighRelations(transaction: TenantTransaction, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await transaction.$executeRaw`
    UPDATE relations r SET weight = computed.weight, last_seen = computed.last_seen, first_seen = (SELECT min(m.occurred_at) FROM relation_evidence m WHERE m.relation_id = r.id)
      FROM (SELECT id, sum(1 + ln(pieces))::real AS weight, max(last_seen) AS last_seen
              FROM (SELECT wanted.id, count(*) AS pieces, max(m.occurred_at) AS last_seen FROM unnest(${ids}::uuid[]) AS wanted(id)
                     CROSS JOIN LATERAL (SELECT session_id, occurred_at FROM relation_evidence WHERE relation_id = wanted.id ORDER BY occurred_at DESC, source_id LIMIT ${MAX_WEIGHED}) AS m
                     GROUP BY wanted.id, m.session_id) AS of_session
             GROUP BY id) AS computed
     WHERE r.id = computed.id`;
}

const removedRows = z.array(z.object({ project_id: z.string().nullable() }));

/**
 * Deletes a session's evidence from the graph, all of it or that of some rows, summaries and learnings; then entities and relations without
 * evidence, and the day's glossary, which may name them.
 */
export async function forgetGraph(
  transaction: TenantTransaction,
  sessionId: string,
  sourceIds: readonly string[] | null,
): Promise<void> {
  const relations = idsOf(
    await transaction.$queryRaw`
      DELETE FROM relation_evidence WHERE session_id = ${sessionId}::uuid AND (${sourceIds}::uuid[] IS NULL OR source_id = ANY (${sourceIds}::uuid[])) RETURNING relation_id AS id`,
  );
  const entities = idsOf(
    await transaction.$queryRaw`
      DELETE FROM entity_mentions WHERE session_id = ${sessionId}::uuid AND (${sourceIds}::uuid[] IS NULL OR source_id = ANY (${sourceIds}::uuid[])) RETURNING entity_id AS id`,
  );
  await pruneGraph(transaction, [...new Set(entities)], [...new Set(relations)]);
}

/**
 * Deletes those of these entities and relations that have no evidence, and updates the weights of the others; returns the number deleted.
 * Locks them first and reads them by separate statements: a statement that began before a session added a mention would not see it, and
 * would delete the mention with the entity.
 */
export async function pruneGraph(
  transaction: TenantTransaction,
  entityIds: readonly string[],
  relationIds: readonly string[],
): Promise<{ readonly entities: number; readonly relations: number }> {
  await transaction.$executeRaw`SELECT FROM entities WHERE id = ANY (${entityIds}::uuid[]) ORDER BY id FOR UPDATE`;
  await transaction.$executeRaw`SELECT FROM relations WHERE id = ANY (${relationIds}::uuid[]) ORDER BY id FOR UPDATE`;
  const relations = await transaction.$executeRaw`
    DELETE FROM relations r WHERE r.id = ANY (${relationIds}::uuid[]) AND NOT EXISTS (SELECT FROM relation_evidence e WHERE e.relation_id = r.id)`;
  const removed = removedRows.parse(
    await transaction.$queryRaw`
      DELETE FROM entities n WHERE n.id = ANY (${entityIds}::uuid[]) AND NOT EXISTS (SELECT FROM entity_mentions m WHERE m.entity_id = n.id) RETURNING n.project_id`,
  );
  await dropGlossaries(transaction, [...new Set(removed.flatMap((row) => row.project_id ?? []))]);
  await weighEntities(transaction, entityIds);
  await weighRelations(transaction, relationIds);
  return { entities: removed.length, relations };
}

const pairRows = z.array(z.object({ removed: z.string(), target: z.string() }));

/** Moves a project's graph into another's, with whose it is joined by type and name. */
export async function moveGraph(transaction: TenantTransaction, from: string, into: string): Promise<void> {
  const twins = pairRows.parse(
    await transaction.$queryRaw`
      SELECT moved.id AS removed, known.id AS target FROM entities moved
        JOIN entities known ON known.tenant_id = moved.tenant_id AND known.project_id = ${into}::uuid AND known.namespace = moved.namespace
         AND known.type = moved.type AND known.name = moved.name
       WHERE moved.project_id = ${from}::uuid`,
  );
  const removed = twins.map((pair) => pair.removed);
  const target = twins.map((pair) => pair.target);
  await transaction.$executeRaw`
    INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
    SELECT pair.target, m.session_id, m.source_id, m.source_type, m.tenant_id, m.quote, m.occurred_at
      FROM unnest(${removed}::uuid[], ${target}::uuid[]) AS pair(removed, target) JOIN entity_mentions m ON m.entity_id = pair.removed ON CONFLICT DO NOTHING`;
  // Creates missing relations between the remaining entities in place of relations with removed ones.
  await transaction.$executeRaw`
    WITH pair AS (SELECT * FROM unnest(${removed}::uuid[], ${target}::uuid[]) AS pair(removed, target)),
         moved AS (
           SELECT r.id AS old_id, r.tenant_id, coalesce(f.target, r.from_id) AS from_id, coalesce(t.target, r.to_id) AS to_id, r.type, r.first_seen, r.last_seen
             FROM relations r LEFT JOIN pair f ON f.removed = r.from_id LEFT JOIN pair t ON t.removed = r.to_id
            WHERE r.from_id = ANY (${removed}::uuid[]) OR r.to_id = ANY (${removed}::uuid[])),
         made AS (
           INSERT INTO relations (id, tenant_id, from_id, to_id, type, first_seen, last_seen)
           SELECT uuidv7(), tenant_id, from_id, to_id, type, min(first_seen), max(last_seen) FROM moved WHERE from_id <> to_id GROUP BY tenant_id, from_id, to_id, type
           ON CONFLICT (from_id, to_id, type) DO UPDATE SET last_seen = excluded.last_seen RETURNING id, from_id, to_id, type)
    INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
    SELECT made.id, e.session_id, e.source_id, e.source_type, e.tenant_id, e.quote, e.occurred_at
      FROM moved JOIN made ON made.from_id = moved.from_id AND made.to_id = moved.to_id AND made.type = moved.type JOIN relation_evidence e ON e.relation_id = moved.old_id
    ON CONFLICT DO NOTHING`;
  await transaction.$executeRaw`DELETE FROM entities WHERE id = ANY (${removed}::uuid[])`;
  await transaction.$executeRaw`UPDATE entities SET project_id = ${into}::uuid WHERE project_id = ${from}::uuid`;
  const touched = idsOf(
    await transaction.$queryRaw`SELECT id FROM relations WHERE from_id = ANY (${target}::uuid[]) OR to_id = ANY (${target}::uuid[])`,
  );
  await weighEntities(transaction, target);
  await weighRelations(transaction, touched);
  await dropGlossaries(transaction, [into]);
}
