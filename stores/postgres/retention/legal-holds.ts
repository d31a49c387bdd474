import { v7 } from 'uuid';
import { z } from 'zod';
import type { ActiveLegalHold } from '../../../domain/retention/policy.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { HoldSubject } from '../../../domain/jobs.ts';
import { HOLD_SUBJECTS } from '../../../domain/jobs.ts';

const holdRow = z.object({
  id: z.string(),
  subject: z.enum(HOLD_SUBJECTS),
  subjectId: z.string(),
  reason: z.string(),
  createdBy: z.string(),
  createdAt: z.date(),
  releasedBy: z.string().nullable(),
  releasedAt: z.date().nullable(),
});
export type StoredHold = Readonly<z.output<typeof holdRow>>;

/** A legal hold prevents forgetting, archiving and deleting until it is released. */
export class LegalHoldError extends Error {
  override readonly name = 'LegalHoldError';
  readonly holdId: string;

  constructor(holdId: string) {
    super('a legal hold is on it: it stays until the hold is released');
    this.holdId = holdId;
  }
}

/** Returns the active legal holds of the tenant, or all with `released`, newest first; at most 1,000. */
export async function listLegalHolds(transaction: TenantTransaction, released: boolean): Promise<StoredHold[]> {
  const rows = await transaction.legalHold.findMany({
    where: released ? {} : { releasedAt: null },
    orderBy: { id: 'desc' },
    take: 1_000,
  });
  return z.array(holdRow).parse(rows);
}

/** Returns every active hold: the hash of a dry run covers all of them. */
export function activeLegalHolds(transaction: TenantTransaction): Promise<ActiveLegalHold[]> {
  return transaction.legalHold.findMany({
    where: { releasedAt: null },
    orderBy: { id: 'asc' },
    select: { id: true, subject: true, subjectId: true },
  });
}

/** SQL: the key of the advisory lock between a new hold and deletions that found none. */
const HOLDS_KEY = "hashtextextended('legal holds ' || current_tenant_id()::text, 0)";

/** Returns true if the subject of a hold exists. */
async function subjectExists(transaction: TenantTransaction, subject: HoldSubject, id: string): Promise<boolean> {
  switch (subject) {
    case 'tenant':
      return (await transaction.tenant.count({ where: { id } })) > 0;
    case 'project':
      return (await transaction.project.count({ where: { id } })) > 0;
    case 'session':
      return (await transaction.session.count({ where: { id, status: { not: 'deleted' } } })) > 0;
    case 'user':
      return (await transaction.user.count({ where: { id } })) > 0;
  }
}

/**
 * Places a legal hold on a subject. Waits for transactions that found no hold and may be deleting the subject; it applies to all others, except statements of
 * retention that run. Returns null if there is no such subject.
 */
export async function addHold(
  transaction: TenantTransaction,
  hold: {
    readonly tenantId: string;
    readonly subject: HoldSubject;
    readonly subjectId: string;
    readonly reason: string;
    readonly userId: string;
  },
): Promise<StoredHold | null> {
  const { tenantId, subject, subjectId, reason, userId: createdBy } = hold;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(${Prisma.raw(HOLDS_KEY)})`;
  if (!(await subjectExists(transaction, subject, subjectId))) return null;
  const row = await transaction.legalHold.create({
    data: { id: v7(), tenantId, subject, subjectId, reason, createdBy },
  });
  return holdRow.parse(row);
}

/** Releases a legal hold; returns null if the tenant has none with this id. A released one is unchanged. */
export async function releaseHold(
  transaction: TenantTransaction,
  id: string,
  userId: string,
): Promise<StoredHold | null> {
  await transaction.legalHold.updateMany({
    where: { id, releasedAt: null },
    data: { releasedAt: new Date(), releasedBy: userId },
  });
  const row = await transaction.legalHold.findUnique({ where: { id } });
  return holdRow.nullable().parse(row);
}

/** Subjects of a legal hold that can protect content from deletion. */
export interface HoldScope {
  readonly sessionId?: string | null;
  readonly userId?: string | null;
  readonly projectId?: string | null;
}

/** Lets new legal holds wait until this transaction ends: what it found not to be under a hold it may delete. Before locks of rows, which captures wait for. */
export async function blockHolds(transaction: TenantTransaction): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock_shared(${Prisma.raw(HOLDS_KEY)})`;
}

/**
 * Throws if a legal hold protects the session, its project, its user, or another subject of the scope. A tenant's hold protects everything. An empty scope
 * checks for any hold of the tenant, as the erasure of a tenant requires. @throws LegalHoldError
 */
export async function assertNoLegalHold(transaction: TenantTransaction, scope: HoldScope): Promise<void> {
  const { sessionId = null, userId = null, projectId = null } = scope;
  const isAll = sessionId === null && userId === null && projectId === null;
  await blockHolds(transaction);
  const rows = await transaction.$queryRaw`
    SELECT h.id FROM legal_holds h
     WHERE h.tenant_id = (SELECT current_tenant_id()) AND h.released_at IS NULL
       AND (${isAll}::boolean OR h.subject = 'tenant' OR h.subject_id IN (${sessionId}::uuid, ${userId}::uuid, ${projectId}::uuid)
            OR h.subject_id IN (SELECT s.project_id FROM sessions s WHERE s.id = ${sessionId}::uuid)
            OR h.subject_id IN (SELECT s.user_id FROM sessions s WHERE s.id = ${sessionId}::uuid)
            -- For a user or a project, a hold on one session is enough.
            OR (h.subject = 'session' AND EXISTS (
                  SELECT FROM sessions s WHERE s.id = h.subject_id AND (s.user_id = ${userId}::uuid OR s.project_id = ${projectId}::uuid)))
            OR (h.subject = 'project' AND ${userId}::uuid IS NOT NULL AND (
                  EXISTS (SELECT FROM sessions s WHERE s.project_id = h.subject_id AND s.user_id = ${userId}::uuid)
                  OR EXISTS (SELECT FROM learnings l WHERE l.project_id = h.subject_id AND l.user_id = ${userId}::uuid))))
     LIMIT 1`;
  refuseFirst(rows);
}

/**
 * Throws if a legal hold protects one of the learnings: through its project, its user, or a session that it was learned from, with that session's project
 * and user. A tenant's hold protects everything. @throws LegalHoldError
 */
export async function assertNoLearningUnderLegalHold(
  transaction: TenantTransaction,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await blockHolds(transaction);
  const rows = await transaction.$queryRaw`
    SELECT h.id FROM legal_holds h
     WHERE h.tenant_id = (SELECT current_tenant_id()) AND h.released_at IS NULL
       AND (h.subject = 'tenant' OR h.subject_id IN (
              SELECT unnest(ARRAY[l.project_id, l.user_id, l.session_id]) FROM learnings l WHERE l.id = ANY (${ids}::uuid[])
              UNION ALL SELECT unnest(ARRAY[s.id, s.project_id, s.user_id]) FROM sessions s
                         WHERE s.id IN (SELECT l.session_id FROM learnings l WHERE l.id = ANY (${ids}::uuid[])
                                        UNION ALL SELECT e.session_id FROM learning_evidence e WHERE e.learning_id = ANY (${ids}::uuid[]))))
     LIMIT 1`;
  refuseFirst(rows);
}

/** Returns true if {@link assertNoLegalHold} throws. */
export async function isUnderLegalHold(transaction: TenantTransaction, scope: HoldScope): Promise<boolean> {
  try {
    await assertNoLegalHold(transaction, scope);
    return false;
  } catch (error) {
    if (error instanceof LegalHoldError) return true;
    throw error;
  }
}

function refuseFirst(rows: unknown): void {
  const [hold] = z.array(z.object({ id: z.string() })).parse(rows);
  if (hold !== undefined) throw new LegalHoldError(hold.id);
}
