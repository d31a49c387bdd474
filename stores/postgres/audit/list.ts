import { z } from 'zod';
import { CREDENTIAL_KINDS } from '../../../domain/access.ts';
import type { TenantRead } from '../connection/database.ts';
import { hexColumn, isoColumn, rowOf } from '../connection/rows.ts';

/** Conditions on rows of the audit log; null: any. */
export interface AuditFilter {
  readonly userId: string | null;
  readonly action: string | null;
  readonly subjectId: string | null;
  readonly since: string | null;
  readonly until: string | null;
  /** First digit of the status: 4 for refused and failed requests. */
  readonly statusClass: number | null;
}

const entryRow = rowOf({
  seq: z.coerce.number(),
  id: z.string(),
  occurred_at: isoColumn,
  actor_id: z.string().nullable(),
  user_name: z.string().nullable(),
  credential_kind: z.enum(CREDENTIAL_KINDS).nullable(),
  credential_id: z.string().nullable(),
  credential_name: z.string().nullable(),
  action: z.string(),
  subject_type: z.string().nullable(),
  subject_id: z.string().nullable(),
  subject_name: z.string().nullable(),
  status: z.number(),
  request_id: z.string(),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  hash: hexColumn,
});
/** A row of the audit log, with the names that user, key and subject have now. Times have milliseconds here. */
export type AuditEntry = z.output<typeof entryRow>;

const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** Returns the tenant's rows with a lower number than `before` (null: all), newest first; at most `limit`. */
export async function listAudit(
  read: TenantRead,
  filter: AuditFilter,
  before: number | null,
  limit: number,
): Promise<AuditEntry[]> {
  const rows = await read({
    name: 'list_audit',
    text: `SELECT a.*, actor.username AS user_name, credential.name AS credential_name,
                  coalesce(person.username, api_key.name, project.display_name) AS subject_name
             FROM (
           SELECT seq, id, occurred_at, actor_id, credential_kind, credential_id, action, subject_type, subject_id, status, request_id, address, user_agent, hash,
                  CASE WHEN subject_id ~ '${UUID}' THEN subject_id::uuid END AS subject_uuid
             FROM audit_log
            WHERE tenant_id = (SELECT current_tenant_id()) AND ($1::bigint IS NULL OR seq < $1)
              AND ($2::uuid IS NULL OR actor_id = $2) AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR subject_id = $4)
              AND ($5::timestamptz IS NULL OR occurred_at >= $5) AND ($6::timestamptz IS NULL OR occurred_at < $6)
              AND ($7::integer IS NULL OR status / 100 = $7)
            ORDER BY seq DESC LIMIT $8) AS a
             LEFT JOIN users AS actor ON actor.id = a.actor_id
             LEFT JOIN api_keys AS credential ON credential.id = a.credential_id AND a.credential_kind = 'key'
             LEFT JOIN users AS person ON person.id = a.subject_uuid AND a.subject_type = 'users'
             LEFT JOIN api_keys AS api_key ON api_key.id = a.subject_uuid AND a.subject_type = 'api-keys'
             LEFT JOIN projects AS project ON project.id = a.subject_uuid AND a.subject_type = 'projects'
            ORDER BY a.seq DESC`,
    values: [
      before,
      filter.userId,
      filter.action,
      filter.subjectId,
      filter.since,
      filter.until,
      filter.statusClass,
      limit,
    ],
  });
  return z.array(entryRow).parse(rows);
}
