import type pg from 'pg';
import type { TenantId } from '../../../domain/ids.ts';
import type { Credential } from '../access/principal.ts';

/** What a request did, as the audit log stores it. */
export interface AuditRecord {
  readonly tenantId: TenantId;
  /** Null for a caller who was not authenticated. */
  readonly actorId: string | null;
  readonly credential: Credential | null;
  /** Method and route pattern. */
  readonly action: string;
  readonly subject: { readonly type: string; readonly id: string } | null;
  /** HTTP status of the response. */
  readonly status: number;
  readonly requestId: string;
  readonly address: string;
  readonly userAgent: string | null;
}

/** Appends a row to the tenant's chain, in a transaction of its own. Does nothing for an erased tenant. */
export async function appendAudit(pool: pg.Pool, record: AuditRecord): Promise<void> {
  await pool.query({
    name: 'append_audit',
    text: 'SELECT append_audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [
      record.tenantId,
      record.actorId,
      record.credential?.kind ?? null,
      record.credential?.id ?? null,
      record.action,
      record.subject?.type ?? null,
      record.subject?.id ?? null,
      record.status,
      record.requestId,
      record.address,
      record.userAgent,
    ],
  });
}
