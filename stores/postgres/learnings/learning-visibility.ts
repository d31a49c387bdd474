import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { ownerIdFor } from '../../../domain/learning/visibility.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf, rowOf } from '../connection/rows.ts';
import { requestRewrite } from '../embeddings/embedding-rewrites.ts';
import { forgetGraph } from '../graph/graph-writes.ts';
import { freePrint } from './learning-changes.ts';
import type { KnownAlready, LockedLearning } from './learning-changes.ts';
import { CORRECTED } from './learning-versions.ts';
import { IS_SHOWN } from './learning-list.ts';
import { DUPLICATE, exactFingerprint, learningFingerprint, REFINED } from './learnings.ts';
import { Prisma } from '../../../prisma/generated/client.ts';

/** Closed learnings whose words continue in their successor. */
const CONTINUED = [REFINED, DUPLICATE, CORRECTED];

const versionRow = rowOf({
  id: z.string(),
  user_id: z.string(),
  project_id: z.string().nullable(),
  namespace: z.string(),
  category: z.custom<LockedLearning['category']>((value) => typeof value === 'string'),
  description: z.string(),
  fingerprint: z.instanceof(Uint8Array),
  owner_id: z.string().nullable(),
});

/** Locks a learning, its earlier versions, and those of its owner that were merged into one of them, in the order of their ids. */
async function lockVersions(transaction: TenantTransaction, id: string) {
  const rows = await transaction.$queryRaw`
    WITH RECURSIVE chain AS (
      SELECT l.id, l.previous_id, l.user_id FROM learnings l WHERE l.id = ${id}::uuid
      UNION
      SELECT o.id, o.previous_id, o.user_id FROM chain CROSS JOIN LATERAL (
        SELECT l.id, l.previous_id, l.user_id FROM learnings l WHERE l.id = chain.previous_id
        UNION ALL
        SELECT l.id, l.previous_id, l.user_id FROM learnings l
         WHERE l.superseded_by = chain.id AND l.user_id = chain.user_id AND l.reason = ANY (${CONTINUED}::text[])) AS o)
    SELECT l.id, l.user_id, l.project_id, l.namespace, l.category, l.description, l.fingerprint,
           CASE WHEN l.visibility = 'private' THEN l.user_id END AS owner_id
      FROM learnings l WHERE l.id IN (SELECT id FROM chain) AND ${Prisma.raw(IS_SHOWN)} ORDER BY l.id FOR UPDATE`;
  return z.array(versionRow).parse(rows);
}

/**
 * Shares a learning with the tenant, or with its owner only, with all earlier versions. The graph, which belongs to the project, loses what a
 * private learning added to it. Returns the learning with the same words that prevents it; null if it is done.
 */
export async function changeVisibility(
  transaction: TenantTransaction,
  tenantId: TenantId,
  id: string,
  visibility: Visibility,
): Promise<KnownAlready | null> {
  const versions = await lockVersions(transaction, id);
  const changed: { readonly id: string; readonly print: string }[] = [];
  for (const version of versions) {
    const ownerId = ownerIdFor(visibility, version.userId);
    if (ownerId === version.ownerId) continue;
    const isExact = Buffer.from(exactFingerprint(version)).equals(version.fingerprint);
    const moved = { ...version, ownerId };
    // Closed versions conflict with nothing: their fingerprints only prevent that their words are learned again.
    const print =
      version.id === id
        ? await freePrint(transaction, tenantId, moved, 'letters')
        : isExact
          ? exactFingerprint(moved)
          : learningFingerprint(moved);
    if ('knownId' in print) return print;
    changed.push({ id: version.id, print: Buffer.from(print).toString('hex') });
  }
  const ids = changed.map((version) => version.id);
  await transaction.$executeRaw`
    UPDATE learnings l SET visibility = ${visibility}, fingerprint = decode(given.print, 'hex'), decayed_on = NULL, updated_at = now()
      FROM unnest(${ids}::uuid[], ${changed.map(({ print }) => print)}::text[]) AS given(id, print) WHERE l.id = given.id`;
  if (visibility === 'private') {
    const taught = idsOf(
      await transaction.$queryRaw`SELECT DISTINCT session_id AS id FROM entity_mentions WHERE source_id = ANY (${ids}::uuid[])
        UNION SELECT session_id FROM relation_evidence WHERE source_id = ANY (${ids}::uuid[])`,
    );
    for (const sessionId of taught) await forgetGraph(transaction, sessionId, ids);
  }
  // The vector index knows the owners of private memories.
  await requestRewrite(transaction, ids);
  return null;
}
