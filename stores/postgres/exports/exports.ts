import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import { receiptOf } from '../../../domain/erasure/gdpr-request.ts';
import { signReceipt } from '../../../domain/erasure/receipt.ts';
import { endRequest, ownerOfSession, readRequest } from '../erasure/gdpr-requests.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { EXPORT_SCOPES, EXPORT_STATES } from '../../../domain/jobs.ts';
import { hexColumn, idsOf, rowOf } from '../connection/rows.ts';

/** For so long a file may be fetched. */
const DAYS = 7;

const exportRow = z.object({
  id: z.string(),
  tenantId: z.string(),
  userId: z.string(),
  scope: z.enum(EXPORT_SCOPES),
  subject: z.string().nullable(),
  includeRestricted: z.boolean(),
  state: z.enum(EXPORT_STATES),
  objectKey: z.string(),
  bytes: z.coerce.number(),
  /** Of the stored file. */
  sha256: hexColumn.nullable(),
  counts: z.record(z.string(), z.number()),
  error: z.string().nullable(),
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
  expiresAt: z.date(),
});
export type StoredExport = Readonly<z.output<typeof exportRow>>;

/** A new export of a user's; the running one of the same scope, where there is one. */
export async function openExport(
  transaction: TenantTransaction,
  wanted: Pick<StoredExport, 'tenantId' | 'userId' | 'scope' | 'subject' | 'includeRestricted'>,
): Promise<StoredExport> {
  const { tenantId, userId } = wanted;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`export ${userId}`}, 0))`;
  const same = await transaction.export.findFirst({ where: { ...wanted, state: 'running' } });
  if (same !== null) return exportRow.parse(same);
  const id = v7();
  const objectKey = `exports/${tenantId}/${id}.ndjson.zst`;
  const expiresAt = new Date(Date.now() + DAYS * 86_400_000);
  return exportRow.parse(await transaction.export.create({ data: { ...wanted, userId, id, objectKey, expiresAt } }));
}

/** Returns an export of the tenant; null if there is none with this id. */
export async function readExport(transaction: TenantTransaction, id: string): Promise<StoredExport | null> {
  const row = await transaction.export.findUnique({ where: { id } });
  return exportRow.nullable().parse(row);
}

/**
 * Returns the user who may read and cancel an export without the rights of an admin: who requested it, of the own data. Null: nobody. The request alone gives no
 * right: agents of an admin have keys without these rights, and a role can change.
 */
export async function ownerOfExport(
  transaction: TenantTransaction,
  { userId, scope, subject, includeRestricted }: StoredExport,
): Promise<string | null> {
  if (includeRestricted || subject === null || (scope !== 'user' && scope !== 'session')) return null;
  const owner = scope === 'user' ? subject : await ownerOfSession(transaction, subject);
  return owner === userId ? owner : null;
}

/**
 * Returns at most `limit` exports after the one with the id `before`, newest first. `ownerId`: only those that this user may read, by the rule of
 * {@link ownerOfExport}; undefined: an admin, who reads all.
 */
export async function listExports(
  transaction: TenantTransaction,
  {
    ownerId = null,
    before,
    limit,
  }: { readonly ownerId: string | null | undefined; readonly before: string | null; readonly limit: number },
): Promise<StoredExport[]> {
  const ids = idsOf(
    await transaction.$queryRaw`
      SELECT x.id FROM exports x
       WHERE x.tenant_id = (SELECT current_tenant_id()) AND (${before}::uuid IS NULL OR x.id < ${before}::uuid)
         AND (${ownerId}::uuid IS NULL
              OR (x.user_id = ${ownerId}::uuid AND NOT x.include_restricted
                  AND ((x.scope = 'user' AND x.subject = ${ownerId}::uuid)
                       OR (x.scope = 'session' AND EXISTS (SELECT FROM sessions s WHERE s.id = x.subject AND s.user_id = ${ownerId}::uuid)))))
       ORDER BY x.id DESC LIMIT ${limit}`,
  );
  const rows = await transaction.export.findMany({ where: { id: { in: ids } }, orderBy: { id: 'desc' } });
  return z.array(exportRow).parse(rows);
}

const forUpdate = z.array(z.object({ state: z.enum(EXPORT_STATES) }));

/** Returns true if content of the tenant is being erased, or was erased or forgotten since a time. */
export async function isErasedSince(transaction: TenantTransaction, since: Date): Promise<boolean> {
  const erased = await transaction.erasure.count({
    where: { OR: [{ state: 'running' }, { finishedAt: { gte: since } }] },
  });
  return erased > 0 || (await transaction.tombstone.count({ where: { createdAt: { gte: since } } })) > 0;
}

/** Completes a running export; false if content of the tenant was erased since `startedAt`: the file must be deleted. */
export async function finishExport(
  transaction: TenantTransaction,
  id: string,
  file: {
    readonly bytes: number;
    readonly sha256: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly startedAt: Date;
    /** Of receipts; null: they are not signed. */
    readonly signingKey: Uint8Array | null;
  },
): Promise<boolean> {
  const [row] = forUpdate.parse(
    await transaction.$queryRaw`SELECT state FROM exports WHERE id = ${id}::uuid FOR UPDATE`,
  );
  if (row?.state !== 'running') return false;
  if (await isErasedSince(transaction, file.startedAt)) return false;
  const now = new Date();
  await transaction.export.update({
    where: { id },
    data: {
      state: 'completed',
      bytes: file.bytes,
      sha256: new Uint8Array(Buffer.from(file.sha256, 'hex')),
      counts: file.counts,
      finishedAt: now,
      updatedAt: now,
    },
  });
  const request = await readRequest(transaction, id);
  if (request !== null && request.right === 'export') {
    const { bytes, sha256, counts: rows } = file;
    const receipt = receiptOf({ ...request, right: request.right }, { bytes, sha256, rows }, now);
    await endRequest(transaction, id, 'completed', signReceipt(receipt, file.signingKey));
  }
  return true;
}

/** Ends a running export without a file. */
export async function endExport(
  transaction: TenantTransaction,
  id: string,
  state: 'failed' | 'cancelled',
  error: string | null,
): Promise<void> {
  const now = new Date();
  await transaction.export.updateMany({
    where: { id, state: 'running' },
    data: { state, error, finishedAt: now, updatedAt: now },
  });
  await endRequest(transaction, id, state);
}

/** Expires all exports of the tenant: none is fetched any more. Their files are to be removed. */
export async function expireAllExports(transaction: TenantTransaction): Promise<void> {
  await transaction.export.updateMany({
    where: { state: 'completed' },
    data: { state: 'expired', updatedAt: new Date() },
  });
}

const dueRows = z.array(rowOf({ id: z.string(), object_key: z.string() }));

/** Returns the exports of all tenants whose time is over. `maintenance` has the maintenance role, as below. */
export async function dueExports(maintenance: pg.Pool): Promise<z.output<typeof dueRows>> {
  const { rows } = await maintenance.query(
    "SELECT id, object_key FROM exports WHERE expires_at < now() AND state = 'completed' ORDER BY id",
  );
  return dueRows.parse(rows);
}

/** Records that the file of an export was removed. */
export async function expireExport(maintenance: pg.Pool, id: string): Promise<void> {
  await maintenance.query(
    "UPDATE exports SET state = 'expired', updated_at = now() WHERE id = $1 AND state = 'completed'",
    [id],
  );
}
