import { v7 } from 'uuid';
import { z } from 'zod';
import { ERASURE_KINDS, MAX_ERASED_ROWS } from '../../../domain/erasure/erasure-journal.ts';
import type { ErasureKind } from '../../../domain/erasure/erasure-journal.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { endRequest } from './gdpr-requests.ts';
import { ERASURE_PHASES, WORK_STATES } from '../../../domain/jobs.ts';
import type { ErasurePhase, HoldSubject } from '../../../domain/jobs.ts';
import { columnOf } from '../connection/rows.ts';

/** Content remained after several rounds: another process writes it again. */
export class ErasureIncomplete extends Error {
  override readonly name = 'ErasureIncomplete';
}

const foundRow = z.object({ id: z.uuid(), session: z.uuid().nullable() });

/** Rows to erase, by ids; for a text every row with it. Also the removed vectors, for verification. */
export const foundSchema = z.object({
  /** Archived sessions whose file or index entry contains it: they are erased completely. */
  sessions: z.array(z.uuid()).max(MAX_ERASED_ROWS).default([]),
  events: z.array(foundRow).max(MAX_ERASED_ROWS).default([]),
  summaries: z.array(foundRow).max(MAX_ERASED_ROWS).default([]),
  learnings: z.array(z.uuid()).max(MAX_ERASED_ROWS).default([]),
  entities: z.array(z.uuid()).max(MAX_ERASED_ROWS).default([]),
  objects: z.array(z.object({ model: z.string(), id: z.uuid() })).default([]),
  /** Hashes of the full values of the rows. */
  fullValues: z.array(z.string()).default([]),
});
export type Found = z.output<typeof foundSchema>;

/** Number of removed vectors that are verified; of more, a sample. */
export const LOOKED_UP_VECTORS = 20_000;

const counts = z.record(z.string(), z.number());

const erasureRow = z.object({
  id: z.string(),
  tenantId: z.string(),
  requestedBy: z.string().nullable(),
  kind: z.enum(ERASURE_KINDS),
  subject: z.string().nullable(),
  searchText: z.string().nullable(),
  state: z.enum(WORK_STATES),
  phase: z.enum(ERASURE_PHASES),
  found: foundSchema.nullable(),
  counts,
  receipt: z.unknown(),
  error: z.string().nullable(),
  createdAt: z.date(),
  updatedAt: z.date(),
  finishedAt: z.date().nullable(),
});
export type StoredErasure = Readonly<z.output<typeof erasureRow>>;

/** The running erasure of the same thing, else a new one with this id. Two requests at once get the same. */
export async function openErasure(
  transaction: TenantTransaction,
  wanted: Pick<StoredErasure, 'tenantId' | 'requestedBy' | 'kind' | 'subject' | 'searchText'>,
  id: string = v7(),
): Promise<StoredErasure> {
  const { tenantId, kind, subject, searchText } = wanted;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`erase ${tenantId} ${kind}`}, 0))`;
  const same = await transaction.erasure.findFirst({
    where: { tenantId, kind, subject, searchText, state: 'running' },
  });
  return erasureRow.parse(same ?? (await transaction.erasure.create({ data: { id, ...wanted } })));
}

/** Returns true while an erasure of the user runs. */
export async function isBeingErased(transaction: TenantTransaction, userId: string): Promise<boolean> {
  const where = { kind: 'user', subject: userId, state: 'running' };
  return (await transaction.erasure.findFirst({ where, select: { id: true } })) !== null;
}

/** Returns true while an erasure runs of what a legal hold on this subject would protect. That of a text is not known before it has found its rows. */
export async function isErasingUnder(
  transaction: TenantTransaction,
  subject: HoldSubject,
  subjectId: string,
): Promise<boolean> {
  const rows = await transaction.$queryRaw`
    SELECT EXISTS (
      SELECT FROM erasures e
       WHERE e.tenant_id = (SELECT current_tenant_id()) AND e.state = 'running'
         AND (e.kind = 'tenant' OR ${subject} = 'tenant' OR e.subject = ${subjectId}::uuid
              OR EXISTS (SELECT FROM sessions s WHERE e.subject IN (s.id, s.user_id) AND ${subjectId}::uuid IN (s.id, s.user_id, s.project_id))
              OR EXISTS (SELECT FROM learnings l WHERE l.user_id = e.subject AND l.project_id = ${subjectId}::uuid))) AS erasing`;
  return columnOf(rows, 'erasing', z.boolean()).includes(true);
}

/** Returns an erasure of the tenant; null if there is none with this id. */
export async function readErasure(transaction: TenantTransaction, id: string): Promise<StoredErasure | null> {
  const row = await transaction.erasure.findUnique({ where: { id } });
  return erasureRow.nullable().parse(row);
}

/** Records the progress of an erasure: its phase, what it found, and additional counts. */
export async function noteErasure(
  transaction: TenantTransaction,
  id: string,
  change: {
    readonly phase?: ErasurePhase;
    readonly found?: Found;
    readonly more?: Readonly<Record<string, number>>;
  },
): Promise<void> {
  const { phase, found, more = {} } = change;
  const before = await transaction.erasure.findUniqueOrThrow({ where: { id }, select: { counts: true } });
  const sums = counts.parse(before.counts);
  for (const [name, value] of Object.entries(more)) if (value > 0) sums[name] = (sums[name] ?? 0) + value;
  await transaction.erasure.update({
    where: { id },
    data: {
      ...(phase === undefined ? {} : { phase }),
      ...(found === undefined ? {} : { found }),
      counts: sums,
      updatedAt: new Date(),
    },
  });
}

/** Ends an erasure with its receipt, and deletes its search text. */
export async function finishErasure(
  transaction: TenantTransaction,
  id: string,
  kind: ErasureKind,
  receipt: Prisma.InputJsonValue,
): Promise<void> {
  const now = new Date();
  await transaction.erasure.update({
    where: { id },
    data: {
      state: 'completed',
      phase: 'completed',
      receipt,
      searchText: null,
      found: Prisma.DbNull,
      finishedAt: now,
      updatedAt: now,
      ...(kind === 'user' || kind === 'tenant' ? { subject: null, requestedBy: null } : {}),
    },
  });
  await endRequest(transaction, id, 'completed');
}

/** Ends a failed erasure; `error` is the type of the failure. The search text is deleted. */
export async function failErasure(
  transaction: TenantTransaction,
  id: string,
  state: 'failed' | 'cancelled',
  error: string | null,
): Promise<void> {
  const now = new Date();
  await transaction.erasure.updateMany({
    where: { id, state: 'running' },
    data: { state, error, searchText: null, finishedAt: now, updatedAt: now },
  });
  await endRequest(transaction, id, state);
}
