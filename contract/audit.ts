import { z } from 'zod';
import { CREDENTIAL_KINDS } from '../domain/access.ts';
import { FAULT_KINDS } from '../domain/audit/verification.ts';
import { numeric } from './query.ts';
import { timestamp } from './shared.ts';

/** Names are not in the chain: they are read with the row, and change and end with what they name. */
const nameToday = z.string().nullable().describe('Name that the user has now; null once the user is erased');

/** A row of the audit log. */
export const auditEntrySchema = z
  .object({
    seq: z.number().int().describe('Number of the row in the chain of the tenant, from 1'),
    id: z.string(),
    occurred_at: z.string(),
    user_id: z.string().nullable(),
    user_name: nameToday,
    credential_kind: z.enum(CREDENTIAL_KINDS).nullable().describe('`key`, `session` or `grant`; null: none was valid'),
    credential_id: z.string().nullable(),
    credential_name: nameToday.describe('Name that the key has now; null for other credentials and deleted keys'),
    action: z.string().describe('Method and route, such as `DELETE /memories/:id`'),
    subject_type: z.string().nullable(),
    subject_id: z
      .string()
      .nullable()
      .describe('Id in the path, else of the returned resource; other names as `sha256:` and 32 characters'),
    subject_name: nameToday.describe('Name that the user, key or project has now; null for others and deleted ones'),
    status: z.number().int(),
    request_id: z.string(),
    address: z.string().nullable().describe('Null once the user is erased'),
    user_agent: z.string().nullable(),
    hash: z.string().describe('Hash of this row and the chain before it'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntryAnswer = z.output<typeof auditEntrySchema>;

/** Filters of the list and of the export. */
export const auditFilter = {
  user: z.uuid().optional().describe('Id of the user who made the request'),
  action: z.string().min(1).max(200).optional().describe('Method and route'),
  subject: z.string().min(1).max(100).optional().describe('Id of the subject'),
  since: timestamp.optional().describe('First time'),
  until: timestamp.optional().describe('End, exclusive'),
  status: numeric(z.number().int().min(1).max(5)).optional().describe('First digit of the status; 4: refused'),
};

export const auditPage = z.object({
  data: z.array(auditEntrySchema),
  next_cursor: z.string().nullable(),
});

export const auditVerification = z
  .object({
    ok: z.boolean(),
    checked: z.number().int().describe('Recomputed rows'),
    first_fault: z.object({ seq: z.number().int(), kind: z.enum(FAULT_KINDS) }).nullable(),
  })
  .meta({ id: 'AuditVerification' });
