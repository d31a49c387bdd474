import type pg from 'pg';
import { z } from 'zod';

/** Rows per statement. */
const ROWS_AT_ONCE = 2_000;

const headRows = z.array(z.object({ tenant_id: z.string(), seq: z.string(), hash: z.string(), row: z.unknown() }));
type Head = z.output<typeof headRows>[number];
const pageRow = z.tuple([z.object({ rows: z.string().nullable(), last: z.string().nullable() })]);

async function headsOf(client: pg.ClientBase): Promise<Head[]> {
  const { rows } = await client.query(
    `SELECT tenant_id, seq::text, encode(hash, 'hex') AS hash, to_jsonb(h) AS row FROM audit_heads h ORDER BY tenant_id`,
  );
  return headRows.parse(rows);
}

/** Returns true if a chain contains the last row of another one: it is the same chain, as long or longer. */
async function contains(client: pg.ClientBase, { tenant_id: tenantId, seq, hash }: Head): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM audit_log WHERE tenant_id = $1 AND seq = $2 AND hash = decode($3, 'hex')
     UNION ALL SELECT FROM audit_heads WHERE tenant_id = $1 AND (seq = $2 AND hash = decode($3, 'hex') OR base_seq = $2 AND base_hash = decode($3, 'hex')) LIMIT 1`,
    [tenantId, seq, hash],
  );
  return rowCount === 1;
}

/** Copies the rows after a number up to the head: rows that the running database appends meanwhile are copied the next time, with their head. */
async function copyRows(from: pg.ClientBase, into: pg.ClientBase, head: Head, after: string): Promise<void> {
  for (let last: string | null = after; last !== null;) {
    const { rows } = await from.query(
      `SELECT jsonb_agg(to_jsonb(l) ORDER BY l.seq)::text AS rows, max(l.seq)::text AS last
         FROM (SELECT * FROM audit_log WHERE tenant_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT ${ROWS_AT_ONCE}) AS l`,
      [head.tenant_id, last, head.seq],
    );
    const [page] = pageRow.parse(rows);
    if (page.rows !== null)
      await into.query('INSERT INTO audit_log SELECT * FROM jsonb_populate_recordset(NULL::audit_log, $1::jsonb)', [
        page.rows,
      ]);
    last = page.last;
  }
}

/**
 * Continues the audit log of the running database in its replacement: rows that are newer than the backup are appended. Where the chains differ, that of the
 * running database replaces the backup's. Chains that only the backup has, or has further, are unchanged.
 */
export async function carryAudit(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  const restored = new Map((await headsOf(into)).map((head) => [head.tenant_id, head]));
  for (const head of await headsOf(from)) {
    const { tenant_id: tenantId } = head;
    const other = restored.get(tenantId);
    // Nothing between the two: the second time, before the swap, this is so for most tenants.
    if (JSON.stringify(other?.row) === JSON.stringify(head.row)) continue;
    const isContinued = other !== undefined && (await contains(from, other));
    if (!isContinued && other !== undefined && (await contains(into, head))) continue;
    if (!isContinued) await into.query('DELETE FROM audit_log WHERE tenant_id = $1', [tenantId]);
    await copyRows(from, into, head, isContinued ? other.seq : '0');
    await into.query('DELETE FROM audit_heads WHERE tenant_id = $1', [tenantId]);
    await into.query('INSERT INTO audit_heads SELECT * FROM jsonb_populate_record(NULL::audit_heads, $1::jsonb)', [
      JSON.stringify(head.row),
    ]);
  }
  const { rows } = await from.query(
    `SELECT coalesce(jsonb_agg(to_jsonb(a)), '[]')::text AS rows, NULL AS last FROM audit_anchors a`,
  );
  await into.query(
    'INSERT INTO audit_anchors SELECT * FROM jsonb_populate_recordset(NULL::audit_anchors, $1::jsonb) ON CONFLICT DO NOTHING',
    [pageRow.parse(rows)[0].rows],
  );
}
