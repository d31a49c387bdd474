import { Readable } from 'node:stream';
import { z } from 'zod';
import { auditEntrySchema, auditFilter, auditPage, auditVerification } from '../../../contract/audit.ts';
import type { AuditEntryAnswer } from '../../../contract/audit.ts';
import { cursorQuery, pageQuery } from '../../../contract/shared.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { listAudit } from '../../../stores/postgres/audit/list.ts';
import type { AuditEntry, AuditFilter } from '../../../stores/postgres/audit/list.ts';
import { verifyAudit } from '../../../stores/postgres/audit/verify.ts';
import { nextOf } from '../../../stores/postgres/connection/rows.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { cursorOf, placeOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';
import { RequestSlots } from '../../http/request-slots.ts';

const LIST = 'audit-log';
const place = z.strictObject({ seq: z.int().positive() });
/** Verifications at once in a process: each reads every row of its tenant. */
const VERIFICATIONS = { perUser: 1, total: 2 };
/** Rows per query of an export: some hundred KB in memory. */
const ROWS_AT_ONCE = 500;

const filterSchema = z.object(auditFilter);

function filterOf(query: z.output<typeof filterSchema>): AuditFilter {
  return {
    userId: query.user ?? null,
    action: query.action ?? null,
    subjectId: query.subject ?? null,
    since: query.since ?? null,
    until: query.until ?? null,
    statusClass: query.status ?? null,
  };
}

function presentEntry({ actorId, ...entry }: AuditEntry): AuditEntryAnswer {
  return present(auditEntrySchema, { ...entry, userId: actorId });
}

/** `/admin/audit-log`: who did what in the tenant, for its admins. Rows are appended by `api/audit/record.ts`. */
export function auditRoutes(app: Api, { database }: ApiDependencies): void {
  const verifications = new RequestSlots(VERIFICATIONS, 'the audit log is being verified; try again');
  const read = (tenantId: TenantId, filter: AuditFilter, before: number | null, limit: number): Promise<AuditEntry[]> =>
    database.readAsTenant(tenantId, (run) => listAudit(run, filter, before, limit));

  app.get(
    '/admin/audit-log',
    route('admin', {
      tags: ['admin'],
      summary: 'List the audit log, newest first',
      querystring: z.strictObject({ ...auditFilter, limit: pageQuery.limit, ...cursorQuery }),
      response: { 200: auditPage },
    }),
    async (request) => {
      const { limit, cursor, ...query } = request.query;
      const before = placeOf(cursor, LIST, place)?.seq ?? null;
      const found = await read(principalOf(request).tenantId, filterOf(query), before, limit + 1);
      const { shown, next } = nextOf(found, limit);
      return {
        data: shown.map(presentEntry),
        next_cursor: next === null ? null : cursorOf(LIST, { seq: next.seq }),
      };
    },
  );

  app.get(
    '/admin/audit-log/export',
    route('admin', {
      tags: ['admin'],
      summary: 'Export the audit log as NDJSON, newest first',
      description: 'One row a line, with the filters of the list.',
      querystring: z.strictObject(auditFilter),
      response: {
        200: {
          description: 'The rows',
          content: { 'application/x-ndjson': { schema: z.union([z.string(), z.instanceof(Readable)]) } },
        },
      },
    }),
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const filter = filterOf(request.query);
      // Read before the response starts: a failure then yields an error status.
      const first = await read(tenantId, filter, null, ROWS_AT_ONCE);
      const lines = async function* () {
        for (let page = first; ;) {
          yield page.map((entry) => `${JSON.stringify(presentEntry(entry))}\n`).join('');
          const last = page.at(-1);
          if (last === undefined || page.length < ROWS_AT_ONCE) return;
          page = await read(tenantId, filter, last.seq, ROWS_AT_ONCE);
        }
      };
      return reply
        .type('application/x-ndjson')
        .header('content-disposition', 'attachment; filename="recollect-audit-log.ndjson"')
        .send(Readable.from(lines(), { objectMode: false }));
    },
  );

  app.post(
    '/admin/audit-log/verify',
    route('admin', {
      tags: ['admin'],
      summary: 'Verify the chain of the audit log',
      description:
        'Recomputes every row of the tenant and compares the chain with its head and with the anchors that backups recorded. Answers when all rows are read: about a minute per million. Each process verifies one log of a tenant at a time, and two in total.',
      response: { 200: auditVerification },
    }),
    async (request) => {
      const { tenantId } = principalOf(request);
      const { checked, fault } = await verifications.run(tenantId, () => verifyAudit(database, tenantId));
      return { ok: fault === null, checked, first_fault: fault };
    },
  );
}
