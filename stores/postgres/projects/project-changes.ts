import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { moveGraph } from '../graph/graph-writes.ts';
import { exactFingerprint, learningFingerprint } from '../learnings/learnings.ts';
import { EVIDENCE_FORGOTTEN } from '../erasure/forgotten.ts';
import { assertNoLearningUnderLegalHold, blockHolds } from '../retention/legal-holds.ts';
import { FORMER_ID, findProject } from './projects.ts';
import { indexable } from '../../../domain/capture/well-formed.ts';
import { projectIdentity } from '../../../domain/capture/project-identity.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ROOT_PATH = /^(?:[/~]|[A-Za-z]:[\\/])/;

/**
 * Returns the project that a user names, and creates it if nothing was captured for it yet, with the alias that a capture would give it;
 * null for an unknown id.
 */
export async function findOrMakeProject(
  transaction: TenantTransaction,
  tenantId: TenantId,
  given: string,
): Promise<string | null> {
  const known = await findProject(transaction, given);
  if (known !== null) return known.id;
  const hint = ROOT_PATH.test(given) ? { path: given } : { remote: given };
  const identity = UUID.test(given) ? null : (projectIdentity(hint) ?? projectIdentity({ name: given }));
  if (identity === null) return null;
  // Captures take the same lock before they create a project: the second one finds it.
  await lockProjects(transaction, tenantId);
  const made = await findProject(transaction, given);
  if (made !== null) return made.id;
  const id = newId();
  await transaction.project.create({
    data: { id, tenantId, displayName: indexable(identity.name), gitRemote: identity.remote },
  });
  await transaction.projectAlias.createMany({
    data: identity.aliases.map((alias) => ({ tenantId, alias: indexable(alias), projectId: id })),
    skipDuplicates: true,
  });
  return id;
}

/** Rows that a merge moved. */
export interface MergedProject {
  readonly sessions: number;
  readonly summaries: number;
  readonly learnings: number;
  /** Learnings that both projects had: their evidence was joined. */
  readonly joined: number;
  readonly aliases: number;
}

/** Serialises changes of the projects of a tenant: the lock of capture before it creates a project. */
export async function lockProjects(transaction: TenantTransaction, tenantId: TenantId): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${tenantId}, 0))`;
}

export interface ProjectChange {
  readonly displayName?: string | undefined;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Renames a project and changes its aliases. Returns the aliases that name another project; if there are any, nothing is changed. */
export async function changeProject(
  transaction: TenantTransaction,
  tenantId: TenantId,
  id: string,
  change: ProjectChange,
): Promise<string[]> {
  await lockProjects(transaction, tenantId);
  const taken = await transaction.projectAlias.findMany({
    where: { alias: { in: [...change.add] }, projectId: { not: id } },
    select: { alias: true },
  });
  if (taken.length > 0) return taken.map((row) => row.alias);
  if (change.displayName !== undefined)
    await transaction.project.update({ where: { id }, data: { displayName: change.displayName } });
  await transaction.projectAlias.createMany({
    data: change.add.map((alias) => ({ tenantId, alias, projectId: id })),
    skipDuplicates: true,
  });
  // Aliases that a merge added are needed to find vectors, and remain.
  const removed = change.remove.filter((alias) => !alias.startsWith(FORMER_ID));
  await transaction.projectAlias.deleteMany({ where: { projectId: id, alias: { in: removed } } });
  return [];
}

const learningRow = rowOf({
  id: z.string(),
  namespace: z.string(),
  category: z.string(),
  description: z.string(),
  reason: z.string().nullable(),
  fingerprint: z.instanceof(Uint8Array),
  open: z.boolean(),
  owner_id: z.string().nullable(),
});
const twinRow = z.object({ keeper: z.string(), twin: z.string() });

interface Twins {
  readonly keeper: string;
  readonly twin: string;
}

/** Merges equal learnings: one gets the evidence and the use of the other, which is deleted. @throws LegalHoldError */
async function joinLearnings(transaction: TenantTransaction, pairs: readonly Twins[]): Promise<void> {
  if (pairs.length === 0) return;
  const keepers = pairs.map((pair) => pair.keeper);
  const twins = pairs.map((pair) => pair.twin);
  await assertNoLearningUnderLegalHold(transaction, twins);
  await transaction.$executeRaw`
    INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote, weight, created_at)
    SELECT pair.keeper, e.row_id, e.quote_sha256, e.tenant_id, e.session_id, e.quote, e.weight, e.created_at
      FROM unnest(${keepers}::uuid[], ${twins}::uuid[]) AS pair(keeper, twin) JOIN learning_evidence e ON e.learning_id = pair.twin ON CONFLICT DO NOTHING`;
  await transaction.$executeRaw`
    UPDATE learnings k SET use_count = k.use_count + t.use_count, use_weight = k.use_weight + t.use_weight, decayed_on = NULL, confidence = greatest(k.confidence, t.confidence), last_used_at = greatest(k.last_used_at, t.last_used_at),
           valid_from = least(k.valid_from, t.valid_from), verified_by = coalesce(k.verified_by, t.verified_by), verified_at = coalesce(k.verified_at, t.verified_at),
           verify_note = coalesce(k.verify_note, t.verify_note), updated_at = now()
      FROM unnest(${keepers}::uuid[], ${twins}::uuid[]) AS pair(keeper, twin) JOIN learnings t ON t.id = pair.twin WHERE k.id = pair.keeper`;
  await transaction.$executeRaw`
    UPDATE learnings l SET superseded_by = pair.keeper FROM unnest(${keepers}::uuid[], ${twins}::uuid[]) AS pair(keeper, twin) WHERE l.superseded_by = pair.twin`;
  await transaction.$executeRaw`
    UPDATE learnings l SET previous_id = pair.keeper FROM unnest(${keepers}::uuid[], ${twins}::uuid[]) AS pair(keeper, twin) WHERE l.previous_id = pair.twin AND l.id <> pair.keeper`;
  await transaction.$executeRaw`
    UPDATE learnings l SET disputes = pair.keeper FROM unnest(${keepers}::uuid[], ${twins}::uuid[]) AS pair(keeper, twin) WHERE l.disputes = pair.twin`;
  await requestRemoval(transaction, twins);
  await transaction.$executeRaw`DELETE FROM learnings WHERE id = ANY (${twins}::uuid[])`;
}

/** Moves learnings under the fingerprints that they have in the other project; of two that stand and say the same the older one stays. */
async function moveLearnings(
  transaction: TenantTransaction,
  from: string,
  into: string,
): Promise<{ readonly learnings: number; readonly joined: number }> {
  const rows = z.array(learningRow).parse(
    await transaction.$queryRaw`
      SELECT id, namespace, category, description, reason, fingerprint, valid_to IS NULL AS open, CASE WHEN visibility = 'private' THEN user_id END AS owner_id
        FROM learnings WHERE project_id = ${from}::uuid ORDER BY valid_to NULLS FIRST, id FOR UPDATE`,
  );
  // The first learning by fingerprint. A moved session may have duplicated learnings of the project.
  const firsts = new Map<string, string>();
  const own: Twins[] = [];
  const moved: { readonly id: string; readonly print: string }[] = [];
  for (const row of rows) {
    // A learning whose text was forgotten has no duplicates.
    if (row.reason === EVIDENCE_FORGOTTEN || row.description === '') continue;
    const there = { ...row, projectId: into };
    const isExact = Buffer.from(exactFingerprint({ ...row, projectId: from })).equals(row.fingerprint);
    const print = Buffer.from(isExact ? exactFingerprint(there) : learningFingerprint(there)).toString('hex');
    // Closed versions are history: they move as they are, and are joined with nothing.
    const keeper = row.open ? firsts.get(print) : undefined;
    if (keeper !== undefined) {
      own.push({ keeper, twin: row.id });
      continue;
    }
    if (row.open) firsts.set(print, row.id);
    moved.push({ id: row.id, print });
  }
  await joinLearnings(transaction, own);
  const ids = [...firsts.values()];
  const prints = [...firsts.keys()];
  const known = z.array(twinRow).parse(
    await transaction.$queryRaw`
      SELECT CASE WHEN stays THEN known.id ELSE moved.id END AS keeper, CASE WHEN stays THEN moved.id ELSE known.id END AS twin
        FROM unnest(${ids}::uuid[], ${prints}::text[]) AS given(id, print)
        JOIN learnings moved ON moved.id = given.id
        JOIN learnings known ON known.tenant_id = moved.tenant_id AND known.fingerprint = decode(given.print, 'hex') AND known.valid_to IS NULL AND known.id <> moved.id
       CROSS JOIN LATERAL (SELECT known.id < moved.id AS stays) AS choice`,
  );
  await joinLearnings(transaction, known);
  const learnings = await transaction.$executeRaw`
    UPDATE learnings l SET project_id = ${into}::uuid, fingerprint = coalesce(decode(given.print, 'hex'), l.fingerprint), updated_at = now()
      FROM (SELECT l.id, p.print FROM learnings l LEFT JOIN unnest(${moved.map((row) => row.id)}::uuid[], ${moved.map((row) => row.print)}::text[]) AS p(id, print) ON p.id = l.id
             WHERE l.project_id = ${from}::uuid) AS given
     WHERE l.id = given.id`;
  return { learnings, joined: own.length + known.length };
}

/**
 * Merges two projects: moves sessions, summaries, learnings and aliases. The deleted id remains an alias, so that search still finds vectors
 * with it. A model step that uses the old project meanwhile fails on its foreign key and is retried.
 */
export async function mergeProjects(
  transaction: TenantTransaction,
  tenantId: TenantId,
  from: string,
  into: string,
): Promise<MergedProject> {
  // A hold placed meanwhile would be of a deleted project.
  await blockHolds(transaction);
  await lockProjects(transaction, tenantId);
  const { learnings, joined } = await moveLearnings(transaction, from, into);
  await moveGraph(transaction, from, into);
  const sessions =
    await transaction.$executeRaw`UPDATE sessions SET project_id = ${into}::uuid WHERE project_id = ${from}::uuid`;
  const summaries =
    await transaction.$executeRaw`UPDATE summaries SET project_id = ${into}::uuid WHERE project_id = ${from}::uuid`;
  await transaction.archive.updateMany({ where: { projectId: from }, data: { projectId: into } });
  // Legal holds remain after the merge.
  await transaction.legalHold.updateMany({
    where: { subject: 'project', subjectId: from },
    data: { subjectId: into },
  });
  const aliases = await transaction.projectAlias.updateMany({ where: { projectId: from }, data: { projectId: into } });
  await transaction.$executeRaw`
    UPDATE projects k SET git_remote = coalesce(k.git_remote, merged.git_remote) FROM projects merged WHERE k.id = ${into}::uuid AND merged.id = ${from}::uuid`;
  await transaction.project.delete({ where: { id: from } });
  await transaction.projectAlias.create({ data: { tenantId, alias: `${FORMER_ID}${from}`, projectId: into } });
  return { sessions, summaries, learnings, joined, aliases: aliases.count };
}
