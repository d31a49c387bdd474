import { z } from 'zod';
import { ERASURE_PHASES } from '../../../domain/jobs.ts';
import { REQUEST_KINDS, REQUEST_STATES, RIGHTS } from '../../../domain/erasure/gdpr-request.ts';
import type { RequestState } from '../../../domain/erasure/gdpr-request.ts';
import type { SignedReceipt } from '../../../domain/erasure/receipt.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';

const requestRow = rowOf({
  id: z.string(),
  tenant_id: z.string(),
  user_id: z.string().nullable(),
  requested_by: z.string().nullable(),
  right: z.enum(RIGHTS),
  kind: z.enum(REQUEST_KINDS),
  state: z.enum(REQUEST_STATES),
  body: z.record(z.string(), z.unknown()).nullable(),
  due_at: z.date(),
  extended_days: z.number().nullable(),
  extension_reason: z.string().nullable(),
  decided_by: z.string().nullable(),
  decided_at: z.date().nullable(),
  decision_reason: z.string().nullable(),
  receipt: z.unknown(),
  created_at: z.date(),
  finished_at: z.date().nullable(),
  /** Of the erasure; null for other rights. */
  phase: z.enum(ERASURE_PHASES).nullable(),
  removed: z.record(z.string(), z.number()),
  error: z.string().nullable(),
});
export type StoredRequest = Readonly<z.output<typeof requestRow>>;

const COLUMNS = Prisma.sql`r.id, r.tenant_id, r.user_id, r.requested_by, r.right_name AS "right", r.kind, r.state, r.body, r.due_at, r.extended_days, r.extension_reason,
  r.decided_by, r.decided_at, r.decision_reason, coalesce(r.receipt, e.receipt) AS receipt, r.created_at, r.finished_at, e.phase, coalesce(e.counts, '{}') - 'rounds' AS removed,
  coalesce(e.error, x.error) AS error
  FROM gdpr_requests r LEFT JOIN erasures e ON e.id = r.id LEFT JOIN exports x ON x.id = r.id`;
const IS_OPEN = Prisma.sql`r.finished_at IS NULL`;

/** A request as it is opened. */
export type NewRequest = Pick<
  StoredRequest,
  'id' | 'tenantId' | 'userId' | 'requestedBy' | 'right' | 'kind' | 'dueAt'
> & {
  readonly state: 'waiting' | 'running' | 'completed';
  readonly body?: Prisma.InputJsonObject;
};

/** Stores a request; one of the same id remains as it is: a repeated request of a running job. */
export async function openRequest(transaction: TenantTransaction, request: NewRequest): Promise<void> {
  const finishedAt = request.state === 'completed' ? new Date() : null;
  await transaction.gdprRequest.createMany({ data: [{ ...request, finishedAt }], skipDuplicates: true });
}

/** Returns a request of the tenant; null if there is none. */
export async function readRequest(transaction: TenantTransaction, id: string): Promise<StoredRequest | null> {
  const rows = await transaction.$queryRaw`SELECT ${COLUMNS} WHERE r.id = ${id}::uuid`;
  return z.array(requestRow).parse(rows)[0] ?? null;
}

/** Returns a page of requests of the tenant, or about the data of one user, and their number: open ones by deadline, then closed ones, newest first. */
export async function listRequests(
  transaction: TenantTransaction,
  filter: {
    readonly userId: string | undefined;
    readonly open: boolean | undefined;
    readonly page: number;
    readonly limit: number;
  },
): Promise<{ readonly rows: readonly StoredRequest[]; readonly total: number }> {
  const { userId, open, page, limit } = filter;
  const isTheirs = userId === undefined ? Prisma.sql`true` : Prisma.sql`r.user_id = ${userId}::uuid`;
  const where = open === undefined ? isTheirs : Prisma.sql`${isTheirs} AND (${IS_OPEN}) = ${open}`;
  const rows = await transaction.$queryRaw`
    SELECT ${COLUMNS} WHERE ${where}
     ORDER BY (${IS_OPEN}) DESC, CASE WHEN ${IS_OPEN} THEN r.due_at END, r.id DESC LIMIT ${limit} OFFSET ${(page - 1) * limit}`;
  const counted = await transaction.$queryRaw`SELECT count(*)::integer AS total FROM gdpr_requests r WHERE ${where}`;
  const [sum] = z.array(z.object({ total: z.number() })).parse(counted);
  return { rows: z.array(requestRow).parse(rows), total: sum?.total ?? 0 };
}

/** Ends a request: what waited for a decision is deleted. Requests that ended before remain as they are. */
export async function endRequest(
  transaction: TenantTransaction,
  id: string,
  state: Exclude<RequestState, 'waiting' | 'running'>,
  receipt: SignedReceipt | null = null,
): Promise<void> {
  const now = new Date();
  await transaction.gdprRequest.updateMany({
    where: { id, state: { in: ['waiting', 'running'] } },
    data: {
      state,
      body: Prisma.DbNull,
      finishedAt: now,
      updatedAt: now,
      ...(receipt === null ? {} : { receipt: { ...receipt } }),
    },
  });
}

/** Records the decision on a waiting request; returns false if it does not wait any more. */
export async function decideRequest(
  transaction: TenantTransaction,
  id: string,
  decision: {
    readonly state: 'running' | 'completed' | 'declined';
    readonly by: string;
    readonly reason: string | null;
  },
): Promise<boolean> {
  const now = new Date();
  const { count } = await transaction.gdprRequest.updateMany({
    where: { id, state: 'waiting' },
    data: {
      state: decision.state,
      body: Prisma.DbNull,
      decidedBy: decision.by,
      decidedAt: now,
      decisionReason: decision.reason,
      updatedAt: now,
      finishedAt: decision.state === 'running' ? null : now,
    },
  });
  return count > 0;
}

/** Extends the deadline of an open request; returns false if it has ended or was extended before. */
export async function extendRequest(
  transaction: TenantTransaction,
  id: string,
  { days, reason }: { readonly days: number; readonly reason: string },
): Promise<boolean> {
  const changed = await transaction.$executeRaw`
    UPDATE gdpr_requests r SET due_at = r.due_at + make_interval(days => ${days}::integer), extended_days = ${days}::integer, extension_reason = ${reason}, updated_at = now()
     WHERE r.id = ${id}::uuid AND ${IS_OPEN} AND r.extended_days IS NULL`;
  return changed > 0;
}

/** Adds the signed receipt of a request that completed at once. */
export async function addReceipt(transaction: TenantTransaction, id: string, receipt: SignedReceipt): Promise<void> {
  await transaction.gdprRequest.update({ where: { id }, data: { receipt: { ...receipt } } });
}

/** Returns the number of requests of a user that wait for a decision. */
export function countWaiting(transaction: TenantTransaction, requestedBy: string): Promise<number> {
  return transaction.gdprRequest.count({ where: { requestedBy, state: 'waiting' } });
}

/** Returns the user of a session; null if there is no such session. */
export async function ownerOfSession(transaction: TenantTransaction, id: string): Promise<string | null> {
  return (await transaction.session.findUnique({ where: { id }, select: { userId: true } }))?.userId ?? null;
}
