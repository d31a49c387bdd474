import type pg from 'pg';
import { z } from 'zod';
import { asId, FIRST_ID } from '../../../domain/ids.ts';
import type { SessionId, TenantId } from '../../../domain/ids.ts';

/** Questions over all tenants, as the maintenance role: what a restored database has in the middle of being done. */

const PAGE = 500;
const sessionRow = z.object({ tenant_id: z.string(), id: z.string() });

/** Pages of sessions that are open or have unconsumed rows. */
export async function* liveSessions(
  maintenance: pg.Pool,
): AsyncGenerator<readonly { readonly tenantId: TenantId; readonly sessionId: SessionId }[]> {
  for (let after = FIRST_ID; ;) {
    const { rows } = await maintenance.query(
      `SELECT tenant_id, id FROM sessions
        WHERE id > $1 AND (status = 'active' OR last_seq > consumed_seq) AND phase <> 'cancelled' AND status <> 'deleted' ORDER BY id LIMIT $2`,
      [after, PAGE],
    );
    const found = z.array(sessionRow).parse(rows);
    const last = found.at(-1);
    if (last === undefined) return;
    yield found.map((row) => ({ tenantId: asId(row.tenant_id), sessionId: asId(row.id) }));
    after = last.id;
  }
}

const batchRow = z.object({ tenant_id: z.string(), id: z.string(), n: z.number(), gathering: z.boolean() });

/** Provider batches that are not ended. */
export async function openBatches(
  maintenance: pg.Pool,
): Promise<{ tenantId: TenantId; id: string; n: number; full: boolean }[]> {
  const { rows } = await maintenance.query(
    "SELECT tenant_id, id, n, state = 'gathering' AS gathering FROM model_batches WHERE state <> 'ended' ORDER BY id",
  );
  return z
    .array(batchRow)
    .parse(rows)
    .map((row) => ({ tenantId: asId(row.tenant_id), id: row.id, n: row.n, full: row.gathering }));
}

const indexRow = z.object({ tenant_id: z.string(), model: z.string() });

/** Every tenant with every index that it may have vectors in. */
export async function tenantIndexes(
  maintenance: pg.Pool | pg.ClientBase,
): Promise<{ readonly tenantId: TenantId; readonly index: string }[]> {
  const { rows } = await maintenance.query(
    `SELECT DISTINCT i.tenant_id, m.model FROM embedding_indexes i CROSS JOIN LATERAL unnest(ARRAY[i.serving_model, i.target_model, i.retired_model]) AS m(model)
      WHERE m.model IS NOT NULL ORDER BY 1, 2`,
  );
  return z
    .array(indexRow)
    .parse(rows)
    .map((row) => ({ tenantId: asId(row.tenant_id), index: row.model }));
}
