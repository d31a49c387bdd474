import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { AuditFaultKind, AuditVerification } from '../../../domain/audit/verification.ts';
import { FAULT_KINDS, MIN_AUDIT_DAYS } from '../../../domain/audit/verification.ts';
import type { Database } from '../connection/database.ts';
import { hexColumn, rowOf } from '../connection/rows.ts';

/** Numbers per statement: about a quarter of a second. */
const STEP = 10_000;

const number = z.coerce.number();
const headRow = rowOf({
  seq: number,
  hash: hexColumn,
  base_seq: number,
  base_hash: hexColumn,
  is_base_young: z.boolean(),
  beyond: number.nullable(),
});
type Head = z.output<typeof headRow>;

/** In one snapshot, so that rows which are appended meanwhile are not beyond the head. A young base: no retention drops such rows. */
const HEAD = `
  SELECT h.seq, h.hash, h.base_seq, h.base_hash,
         h.base_seq > 0 AND (h.base_before IS NULL OR h.base_before > now() - interval '${MIN_AUDIT_DAYS} days') AS is_base_young,
         (SELECT min(l.seq) FROM audit_log l WHERE l.tenant_id = $1 AND l.seq > h.seq) AS beyond
    FROM (SELECT * FROM audit_heads WHERE tenant_id = $1
          UNION ALL
          SELECT $1, 0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'), NULL
           WHERE NOT EXISTS (SELECT FROM audit_heads WHERE tenant_id = $1)) AS h`;

const stepRow = rowOf({
  count: number,
  last_seq: number.nullable(),
  last_hash: hexColumn.nullable(),
  fault_seq: number.nullable(),
  fault: z.enum(FAULT_KINDS).nullable(),
});

/** Recomputes rows with numbers above `$2` to `$4`; `$3` is the hash before them. A changed row is named before the row that it no longer fits; rows with the same number, which have no order, are duplicates of each other. */
const ROWS = `
  WITH part AS MATERIALIZED (
    SELECT l.seq, l.hash, lag(l.seq, 1, $2::bigint) OVER w + 1 AS expected,
           CASE WHEN l.seq = lag(l.seq, 1, $2::bigint) OVER w THEN 'duplicate'
                WHEN l.seq > lag(l.seq, 1, $2::bigint) OVER w + 1 THEN 'missing'
                WHEN l.seq = lead(l.seq) OVER w THEN 'duplicate'
                WHEN audit_hash(l) IS DISTINCT FROM l.hash
                  OR (l.salt IS NOT NULL OR l.address IS NOT NULL OR l.user_agent IS NOT NULL) AND audit_origin(l) IS DISTINCT FROM l.origin_sha256 THEN 'changed'
                WHEN l.previous_hash <> lag(l.hash, 1, $3::bytea) OVER w THEN 'unlinked' END AS fault
      FROM audit_log l WHERE l.tenant_id = $1 AND l.seq > $2 AND l.seq <= $4
    WINDOW w AS (ORDER BY l.seq))
  SELECT count(*), max(part.seq) AS last_seq, (SELECT p.hash FROM part p ORDER BY p.seq DESC LIMIT 1) AS last_hash, CASE f.fault WHEN 'missing' THEN f.expected ELSE f.seq END AS fault_seq, f.fault
    FROM part LEFT JOIN (SELECT p.seq, p.expected, p.fault FROM part p WHERE p.fault IS NOT NULL ORDER BY p.seq LIMIT 1) AS f ON true GROUP BY f.seq, f.expected, f.fault`;

const anchorRow = rowOf({ seq: number });

/** Anchors that the chain contradicts: another hash, or a row that retention cannot have dropped, because the anchor is younger than the dropped month. */
const ANCHORS = `
  SELECT a.seq FROM audit_anchors a LEFT JOIN audit_heads h ON h.tenant_id = a.tenant_id
   WHERE a.tenant_id = $1 AND CASE
           WHEN a.seq = coalesce(h.base_seq, 0) THEN a.hash <> coalesce(h.base_hash, decode(repeat('00', 32), 'hex'))
           WHEN a.seq < h.base_seq THEN a.anchored_at >= h.base_before
           ELSE NOT EXISTS (SELECT FROM audit_log l WHERE l.tenant_id = a.tenant_id AND l.seq = a.seq AND l.hash = a.hash) END
   ORDER BY a.seq LIMIT 1`;

type Tenants = Pick<Database, 'readAsTenant'>;

async function readHead(database: Tenants, tenantId: TenantId): Promise<Head> {
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({ name: 'audit_head', text: HEAD, values: [tenantId] }),
  );
  return z.tuple([headRow]).parse(rows)[0];
}

/** Verifies the rows from the base to a head. */
async function verifyRows(
  database: Tenants,
  tenantId: TenantId,
  head: Head,
  onRows: (checked: number) => void,
): Promise<AuditVerification> {
  let checked = 0;
  const faulty = (seq: number, kind: AuditFaultKind): AuditVerification => ({ checked, fault: { seq, kind } });
  if (head.isBaseYoung) return faulty(head.baseSeq, 'missing');
  let last = { seq: head.baseSeq, hash: head.baseHash };
  for (let above = head.baseSeq; above < head.seq; above += STEP) {
    const upTo = Math.min(above + STEP, head.seq);
    const values = [tenantId, last.seq, Buffer.from(last.hash, 'hex'), upTo];
    const [found] = z
      .array(stepRow)
      .parse(await database.readAsTenant(tenantId, (read) => read({ name: 'verify_audit', text: ROWS, values })));
    if (found === undefined || found.lastSeq === null || found.lastHash === null) continue;
    checked += found.count;
    if (found.faultSeq !== null && found.fault !== null) return faulty(found.faultSeq, found.fault);
    last = { seq: found.lastSeq, hash: found.lastHash };
    onRows(checked);
  }
  if (last.seq !== head.seq) return faulty(last.seq + 1, 'missing');
  if (last.hash !== head.hash) return faulty(last.seq, 'unlinked');
  if (head.beyond !== null) return faulty(head.beyond, 'beyond_head');
  const [anchor] = z
    .array(anchorRow)
    .parse(
      await database.readAsTenant(tenantId, (read) =>
        read({ name: 'audit_anchors', text: ANCHORS, values: [tenantId] }),
      ),
    );
  return anchor === undefined ? { checked, fault: null } : faulty(anchor.seq, 'anchor');
}

/**
 * Recomputes the chain of a tenant and compares it with its head and the anchors. Rows that are appended meanwhile are left to the next
 * verification. Calls `onRows` with the number of rows so far. The fault is the first one in the order of the rows; anchors are compared last.
 */
export async function verifyAudit(
  database: Tenants,
  tenantId: TenantId,
  onRows: (checked: number) => void = () => undefined,
): Promise<AuditVerification> {
  for (;;) {
    const head = await readHead(database, tenantId);
    const result = await verifyRows(database, tenantId, head, onRows);
    // Retention may have dropped a month meanwhile.
    if (result.fault === null || (await readHead(database, tenantId)).baseSeq === head.baseSeq) return result;
  }
}
