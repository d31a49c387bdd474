import type pg from 'pg';
import { z } from 'zod';
import type { AuditHead, AuditVerification } from '../../../domain/audit/verification.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { hexColumn, rowOf } from '../connection/rows.ts';

/** Anchors of the audit log: heads of all tenants at the time of a backup. All take the maintenance role. */

const headRow = rowOf({ tenant_id: z.string(), seq: z.coerce.number(), hash: hexColumn });

/** Returns the heads of all chains, as the client's snapshot has them. */
export async function auditHeads(client: pg.ClientBase): Promise<AuditHead[]> {
  const { rows } = await client.query('SELECT tenant_id, seq, hash FROM audit_heads WHERE seq > 0 ORDER BY tenant_id');
  return z.array(headRow).parse(rows);
}

/** Records anchors. Repeatable; a recorded anchor is never replaced. */
export async function addAnchors(maintenance: pg.Pool, heads: readonly AuditHead[], at: Date): Promise<void> {
  await maintenance.query(
    `INSERT INTO audit_anchors (tenant_id, seq, hash, anchored_at)
     SELECT a."tenantId", a.seq, decode(a.hash, 'hex'), $2 FROM jsonb_to_recordset($1::jsonb) AS a("tenantId" uuid, seq bigint, hash text)
       JOIN tenants t ON t.id = a."tenantId" ON CONFLICT DO NOTHING`,
    [JSON.stringify(heads), at],
  );
}

/** Creates an alert for the tenant's admins, once a day each, about a fault of its audit log. */
export async function alertAuditFault(
  maintenance: pg.Pool,
  tenantId: TenantId,
  fault: NonNullable<AuditVerification['fault']>,
): Promise<void> {
  await maintenance.query(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
     SELECT uuidv7(), u.tenant_id, u.id, 'audit_log_fault', (now() AT TIME ZONE 'UTC')::date, $2::jsonb
       FROM users u WHERE u.tenant_id = $1 AND u.role = 'admin' AND u.active
     ON CONFLICT (user_id, type, day) DO UPDATE SET details = excluded.details`,
    [tenantId, JSON.stringify(fault)],
  );
}
