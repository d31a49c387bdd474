import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { decayed } from '../../../domain/learning/decay.ts';
import { decide } from '../../../domain/retention/decide.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { inScope } from './learning-neighbours.ts';
import type { LearningScope } from './learning-neighbours.ts';
import { pruneGraph } from '../graph/graph-writes.ts';
import { exactFingerprint, learningFingerprint } from './learnings.ts';
import { readPolicies } from '../retention/retention-policies.ts';
import { idsOf, rowOf } from '../connection/rows.ts';

/** A project of a tenant, with one namespace, that has learnings which stand. */
export interface ConsolidatedScope extends LearningScope {
  readonly tenantId: TenantId;
}

const scopeRow = rowOf({ project_id: z.string().nullable(), namespace: z.string(), owner_id: z.string().nullable() });
/** In SQL, an id before all others: nulls have no place in a comparison of rows. */
const NONE = Prisma.sql`'00000000-0000-0000-0000-000000000000'::uuid`;

/** Returns at most `limit` scopes of a tenant with current learnings after the given one, in a fixed order: shared learnings of a project before private ones. */
export async function scopesAfter(
  transaction: TenantTransaction,
  after: LearningScope | null,
  limit: number,
): Promise<readonly LearningScope[]> {
  const rows = await transaction.$queryRaw`
    SELECT project_id, namespace, owner_id FROM (
      SELECT DISTINCT project_id, namespace, CASE WHEN visibility = 'private' THEN user_id END AS owner_id FROM learnings WHERE valid_to IS NULL) AS scopes
     WHERE ${after === null} OR (coalesce(project_id, ${NONE}), namespace, coalesce(owner_id, ${NONE}))
             > (coalesce(${after?.projectId ?? null}::uuid, ${NONE}), ${after?.namespace ?? ''}::text, coalesce(${after?.ownerId ?? null}::uuid, ${NONE}))
     ORDER BY project_id NULLS FIRST, namespace, owner_id NULLS FIRST LIMIT ${limit}`;
  return z.array(scopeRow).parse(rows);
}

/** Returns at most `limit` ids of current learnings of a scope that were not compared yet, oldest first, after the given one. */
export async function uncompared(
  transaction: TenantTransaction,
  scope: LearningScope,
  after: string | null,
  limit: number,
): Promise<readonly string[]> {
  return idsOf(
    await transaction.$queryRaw`
      SELECT id FROM learnings WHERE ${inScope(scope)} AND valid_to IS NULL AND decayed_on IS NULL AND (${after}::uuid IS NULL OR id > ${after}::uuid)
       ORDER BY id LIMIT ${limit}`,
  );
}

/**
 * Closes a learning in favour of another current one, which gets copies of a duplicate's evidence and use. Returns false and changes nothing if either
 * is no longer current, if a user verified the one to be closed meanwhile, or if one was shared or made private.
 */
export async function closeFor(
  transaction: TenantTransaction,
  { id, keeper, reason }: { readonly id: string; readonly keeper: string; readonly reason: string },
  now: Date,
): Promise<boolean> {
  const isDuplicate = reason === 'duplicate';
  // In the order of ids, so that two that close around each other wait and do not meet.
  await transaction.$executeRaw`SELECT FROM learnings WHERE id = ANY (${[id, keeper]}::uuid[]) ORDER BY id FOR UPDATE`;
  const closed = await transaction.$executeRaw`
    UPDATE learnings SET valid_to = greatest(${now}::timestamptz, valid_from), superseded_by = ${keeper}::uuid, reason = ${reason}, updated_at = now()
     WHERE id = ${id}::uuid AND valid_to IS NULL AND verified_at IS NULL AND EXISTS (SELECT FROM learnings k WHERE k.id = ${keeper}::uuid AND k.valid_to IS NULL
             AND k.visibility = learnings.visibility AND (k.visibility = 'shared' OR k.user_id = learnings.user_id))`;
  if (closed === 0) return false;
  if (isDuplicate) {
    await transaction.$executeRaw`
      INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote, weight, created_at)
      SELECT ${keeper}::uuid, row_id, quote_sha256, tenant_id, session_id, quote, weight, created_at FROM learning_evidence WHERE learning_id = ${id}::uuid
      ON CONFLICT DO NOTHING`;
    await transaction.$executeRaw`
      UPDATE learnings k SET use_count = k.use_count + t.use_count, use_weight = k.use_weight + t.use_weight, confidence = greatest(k.confidence, t.confidence),
             last_used_at = greatest(k.last_used_at, t.last_used_at), last_shown_at = greatest(k.last_shown_at, t.last_shown_at),
             occurred_at = greatest(k.occurred_at, t.occurred_at), updated_at = now()
        FROM learnings t WHERE k.id = ${keeper}::uuid AND t.id = ${id}::uuid`;
  } else {
    await transaction.$executeRaw`
      UPDATE learnings k SET previous_id = coalesce(k.previous_id, t.id), version = greatest(k.version, t.version + 1), use_count = k.use_count + t.use_count,
             use_weight = k.use_weight + t.use_weight, updated_at = now()
        FROM learnings t WHERE k.id = ${keeper}::uuid AND t.id = ${id}::uuid AND ${reason} = 'refined'`;
  }
  await requestRemoval(transaction, [id]);
  return true;
}

const printRow = z.object({ id: z.string(), category: z.string(), description: z.string(), fingerprint: z.string() });

/**
 * Updates the fingerprints of current learnings of a scope to their current project (their session may have moved) and owner, at most `limit` after the given id.
 * Returns the last id read, null at the end, and the pairs with the same text.
 */
export async function renewFingerprints(
  transaction: TenantTransaction,
  scope: LearningScope,
  after: string | null,
  limit: number,
): Promise<{
  readonly last: string | null;
  readonly twins: readonly { readonly id: string; readonly keeper: string }[];
}> {
  // Ordered by project first, though there is only one: to the planner "is null" is no equality, and it would read the tenant's learnings in the
  // order of ids.
  const rows = z.array(printRow).parse(
    await transaction.$queryRaw`
      SELECT id, category, description, encode(fingerprint, 'hex') AS fingerprint FROM learnings
       WHERE ${inScope(scope)} AND valid_to IS NULL
         AND (${after}::uuid IS NULL OR id > ${after}::uuid)
       ORDER BY project_id DESC, id LIMIT ${limit}`,
  );
  const twins: { id: string; keeper: string }[] = [];
  for (const row of rows) {
    const print = learningFingerprint({ ...scope, ...row });
    // User memories whose text differs in punctuation only have a fingerprint of their exact text.
    const own = [print, exactFingerprint({ ...scope, ...row })].map((known) => Buffer.from(known).toString('hex'));
    if (own.includes(row.fingerprint)) continue;
    const known = await transaction.learning.findFirst({
      where: { fingerprint: print, validTo: null },
      select: { id: true },
    });
    if (known === null) await transaction.learning.update({ where: { id: row.id }, data: { fingerprint: print } });
    else twins.push({ id: row.id, keeper: known.id });
  }
  return { last: rows.length < limit ? null : (rows.at(-1)?.id ?? null), twins };
}

const decayRow = z.object({
  id: z.string(),
  use_weight: z.number(),
  confidence: z.number(),
  verified: z.boolean(),
  shown_at: z.date(),
  decayed_on: z.string().nullable(),
});

/** Decays at most `limit` current learnings of a scope that were not decayed up to `day` (its midnight, UTC); returns their number. */
export async function decayLearnings(
  transaction: TenantTransaction,
  scope: LearningScope,
  dayMs: number,
  limit: number,
): Promise<number> {
  const day = new Date(dayMs).toISOString().slice(0, 10);
  const policy = decide(await readPolicies(transaction), {
    resource: 'learning',
    projectId: scope.projectId,
    dataClass: null,
  });
  const graceDays = policy?.action === 'decay' ? policy.ageDays : undefined;
  const rows = z.array(decayRow).parse(
    await transaction.$queryRaw`
      SELECT id, use_weight, confidence, verified_at IS NOT NULL AS verified, coalesce(last_shown_at, occurred_at, valid_from) AS shown_at, decayed_on::text AS decayed_on
        FROM learnings
       WHERE ${inScope(scope)} AND valid_to IS NULL
         AND (decayed_on IS NULL OR decayed_on < ${day}::date)
       ORDER BY id LIMIT ${limit} FOR UPDATE`,
  );
  const after = rows.map((row) =>
    decayed(
      {
        useWeight: row.use_weight,
        confidence: row.confidence,
        verified: row.verified,
        lastShownAtMs: row.shown_at.getTime(),
        decayedOnMs: row.decayed_on === null ? null : Date.parse(`${row.decayed_on}T00:00:00Z`),
      },
      dayMs,
      graceDays,
    ),
  );
  await transaction.$executeRaw`
    UPDATE learnings l SET use_weight = given.use_weight, confidence = given.confidence, decayed_on = ${day}::date
      FROM unnest(${rows.map((row) => row.id)}::uuid[], ${after.map((each) => each.useWeight)}::real[], ${after.map((each) => each.confidence)}::real[])
             AS given(id, use_weight, confidence) WHERE l.id = given.id`;
  return rows.length;
}

/** Deletes entities without mentions and relations without evidence of a tenant, at most `limit` of each; returns their number. */
export async function pruneUnnamed(transaction: TenantTransaction, limit: number): Promise<number> {
  const entities = idsOf(
    await transaction.$queryRaw`
      SELECT n.id FROM entities n WHERE NOT EXISTS (SELECT FROM entity_mentions m WHERE m.entity_id = n.id) LIMIT ${limit}`,
  );
  const relations = idsOf(
    await transaction.$queryRaw`
      SELECT r.id FROM relations r WHERE NOT EXISTS (SELECT FROM relation_evidence e WHERE e.relation_id = r.id) LIMIT ${limit}`,
  );
  const pruned = await pruneGraph(transaction, entities, relations);
  return pruned.entities + pruned.relations;
}
