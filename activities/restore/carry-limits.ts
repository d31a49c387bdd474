import type pg from 'pg';
import { z } from 'zod';

const rows = z.array(z.object({ row: z.record(z.string(), z.unknown()) }));

async function jsonOf(client: pg.ClientBase, query: string): Promise<string> {
  return JSON.stringify(rows.parse((await client.query(query)).rows).map(({ row }) => row));
}

/**
 * Holds and restrictions as they are now, into the other database: what was held or hidden since the set was made must neither go nor be
 * seen because of a restore, and what was released stays released. Tenants that the other database does not have are left out.
 */
export async function carryLimits(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  await into.query(
    `INSERT INTO legal_holds SELECT h.* FROM jsonb_populate_recordset(NULL::legal_holds, $1::jsonb) AS h JOIN tenants t ON t.id = h.tenant_id
     ON CONFLICT (id) DO UPDATE SET released_by = excluded.released_by, released_at = excluded.released_at`,
    [await jsonOf(from, 'SELECT to_jsonb(h) AS row FROM legal_holds h')],
  );
  for (const table of ['sessions', 'users'] as const) {
    const hidden = await jsonOf(
      from,
      `SELECT jsonb_build_object('id', id, 'restricted_until', restricted_until) AS row FROM ${table} WHERE restricted_until IS NOT NULL`,
    );
    const known = await jsonOf(
      into,
      `SELECT jsonb_build_object('id', id) AS row FROM ${table} WHERE restricted_until IS NOT NULL`,
    );
    const lifted = JSON.stringify(
      rows
        .parse(
          (
            await from.query(
              `SELECT jsonb_build_object('id', t.id) AS row FROM ${table} t
                WHERE t.restricted_until IS NULL AND t.id IN (SELECT (k ->> 'id')::uuid FROM jsonb_array_elements($1::jsonb) AS k)`,
              [known],
            )
          ).rows,
        )
        .map(({ row }) => row),
    );
    await into.query(
      `UPDATE ${table} t SET restricted_until = NULL FROM jsonb_array_elements($1::jsonb) AS k WHERE t.id = (k ->> 'id')::uuid`,
      [lifted],
    );
    await into.query(
      `UPDATE ${table} t SET restricted_until = (k ->> 'restricted_until')::timestamptz FROM jsonb_array_elements($1::jsonb) AS k WHERE t.id = (k ->> 'id')::uuid`,
      [hidden],
    );
  }
}
