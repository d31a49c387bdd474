import type pg from 'pg';
import { z } from 'zod';
import { HOT_TABLES } from './retention-picks.ts';
import { removalSql } from '../embeddings/embedding-removal.ts';
import { rewriteSql, rowsAfterPromptSql } from '../embeddings/embedding-rewrites.ts';
import { expireValuesSql } from './expired-full-values.ts';
import { bindCells, idFloor } from './retention-groups.ts';
import type { ActingRun } from './retention-groups.ts';
import { expiredSessions } from './retention-sessions.ts';
import { FIRST_ID } from '../../../domain/ids.ts';

export type HotResource = 'observation' | 'prompt' | 'usage';
export const HOT_RESOURCES: readonly HotResource[] = ['observation', 'prompt', 'usage'];

/** A month of a hot table. */
export interface HotMonth {
  readonly resource: HotResource;
  /** YYYY-MM-01. */
  readonly month: string;
  /** Already detached from its table: its follow-up and drop remain. */
  readonly isDetached: boolean;
}

const monthRow = z.object({ part: z.string(), detached: z.boolean() });
const SQLSTATE = z.object({ code: z.string() });
/** Some rows must be retained, the table was locked for seconds, or the month exceeds the time or memory of a statement: rows are deleted in batches instead. */
const NOT_NOW = new Set(['RT001', '55P03', '40P01', '57014', '54000', '53200', '53400']);

function tableOf(resource: HotResource): string {
  return HOT_TABLES[resource] ?? resource;
}

/** The months of the hot tables that are over, the oldest first. */
export async function pastMonths(maintenance: pg.Pool, now: Date): Promise<HotMonth[]> {
  const months: HotMonth[] = [];
  for (const resource of HOT_RESOURCES) {
    const { rows } = await maintenance.query(
      `SELECT c.relname AS part, NOT c.relispartition AS detached FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname ~ ('^' || $1 || '_[0-9]{4}_[0-9]{2}$') ORDER BY 1`,
      [tableOf(resource)],
    );
    for (const { part, detached } of z.array(monthRow).parse(rows)) {
      const month = `${part.slice(-7).replace('_', '-')}-01`;
      if (aboveOf(month) <= now) months.push({ resource, month, isDetached: detached });
    }
  }
  return months;
}

/** Returns the exclusive end of a month. */
function aboveOf(month: string): Date {
  const start = new Date(`${month}T00:00:00Z`);
  return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1));
}

const settledRow = z.object({
  tenant_id: z.string(),
  run: z.string(),
  rule: z.string(),
  project_id: z.string().nullable(),
  data_class: z.string(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
});

/**
 * Returns true if sessions of tenants without a rule have rows in a month. Reads by session, since reading the month takes seconds. Rows whose session is
 * deleted are found when the month is counted.
 */
async function othersHaveRows(
  maintenance: Pick<pg.PoolClient, 'query'>,
  cells: readonly { readonly tenant: string }[],
  { resource, month }: HotMonth,
): Promise<boolean> {
  const { rows } = await maintenance.query(
    `SELECT FROM sessions s WHERE s.tenant_id <> ALL ($1::uuid[])
        AND EXISTS (SELECT FROM ${tableOf(resource)} r WHERE r.session_id = s.id AND r.id >= $2 AND r.id < $3) LIMIT 1`,
    [[...new Set(cells.map(({ tenant }) => tenant))], idFloor(new Date(`${month}T00:00:00Z`)), idFloor(aboveOf(month))],
  );
  return rows.length > 0;
}

/** Sessions of one query. If more are left over, the month is processed row by row. */
const LEFT_SESSIONS = 500;

/** Returns true if a session has rows in the month but must be archived first (no store, damaged archive): its rows are retained until then. */
async function holdsLeftSessions(
  maintenance: Pick<pg.PoolClient, 'query'>,
  runs: readonly ActingRun[],
  { resource, month }: HotMonth,
): Promise<boolean> {
  if (resource === 'usage') return false;
  const left = await expiredSessions(maintenance, runs, FIRST_ID, LEFT_SESSIONS);
  if (left.length === 0) return false;
  const { rows } = await maintenance.query(
    `SELECT FROM ${tableOf(resource)} WHERE session_id = ANY ($1::uuid[]) AND id >= $2 AND id < $3 LIMIT 1`,
    [left.map(({ id }) => id), idFloor(new Date(`${month}T00:00:00Z`)), idFloor(aboveOf(month))],
  );
  return rows.length > 0 || left.length === LEFT_SESSIONS;
}

/**
 * Detaches a month from its table if its rows have expired for every tenant. Returns the number of rows; null if some have not expired, or if the lock
 * would have delayed captures. Counts the rows in the same transaction.
 */
export async function detachMonth(
  maintenance: pg.Pool,
  runs: readonly ActingRun[],
  month: HotMonth,
): Promise<number | null> {
  const above = idFloor(aboveOf(month.month));
  const bound = bindCells(runs, month.resource);
  const cells = bound.cells.filter((cell) => cell.action === 'delete' && cell.before_id >= above);
  if (cells.length === 0) return null;
  const client = await maintenance.connect();
  let failure: Error | undefined;
  try {
    if ((await othersHaveRows(client, cells, month)) || (await holdsLeftSessions(client, runs, month))) return null;
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT * FROM detach_expired_month($1, $2, $3, $4)', [
      tableOf(month.resource),
      month.month,
      JSON.stringify(cells),
      bound.named,
    ]);
    const settled = z.array(settledRow).parse(rows);
    await client.query(
      `INSERT INTO retention_counts AS rc (run_id, tenant_id, rule, resource, action, project_id, data_class, month, rows, bytes)
       SELECT d.run, d.tenant_id, d.rule, $2, 'delete', d.project_id, d.data_class, $3::date, d.rows, d.bytes
         FROM jsonb_to_recordset($1::jsonb) AS d(run uuid, tenant_id uuid, rule text, project_id uuid, data_class text, rows bigint, bytes bigint)
       ON CONFLICT (run_id, rule, resource, action, project_id, data_class, month) DO UPDATE SET rows = rc.rows + excluded.rows, bytes = rc.bytes + excluded.bytes`,
      [JSON.stringify(settled), month.resource, month.month],
    );
    await client.query('COMMIT');
    return settled.length === 0 ? null : settled.reduce((sum, row) => sum + row.rows, 0);
  } catch (error) {
    failure = error instanceof Error ? error : new Error('a query failed');
    const code = SQLSTATE.safeParse(error);
    if (code.success && NOT_NOW.has(code.data.code)) {
      await client.query('ROLLBACK');
      failure = undefined;
      return null;
    }
    throw error;
  } finally {
    // A connection in an unknown state is not given to the next one.
    client.release(failure);
  }
}

const CHUNKS = 5_000;
const touched = z.array(z.object({ tenant: z.string(), id: z.string() }));

/** Cleans up after the rows of a detached month: each call does a part and returns true if there is more. Then the table can be dropped. */
export async function followMonth(
  maintenance: pg.Pool,
  { resource, month }: HotMonth,
  from: string | null = null,
): Promise<{
  readonly more: boolean;
  /** Start of the next call. */
  readonly from: string | null;
  readonly tenants: readonly string[];
  readonly entities: readonly { readonly tenant: string; readonly id: string }[];
  readonly relations: readonly { readonly tenant: string; readonly id: string }[];
}> {
  const none = { more: false, from, tenants: [], entities: [], relations: [] };
  if (resource === 'usage') return none;
  const bounds = [idFloor(new Date(`${month}T00:00:00Z`)), idFloor(aboveOf(month)), CHUNKS];
  // Continues along the index: entries of deleted rows remain in it until the next vacuum.
  const result = await maintenance.query(
    `WITH ${removalSql(`id IN (SELECT id FROM embeddings WHERE resource_id >= $1 AND resource_id < $2 AND resource_type = '${resource}' ORDER BY resource_id LIMIT $3)`)}
     SELECT tenant_id, resource_id FROM removed`,
    [from ?? bounds[0], ...bounds.slice(1)],
  );
  const vectors = z.array(z.object({ tenant_id: z.string(), resource_id: z.string() })).parse(result.rows);
  const tenants = [...new Set(vectors.map((row) => row.tenant_id))];
  const last = vectors.reduce((most, row) => (row.resource_id > most ? row.resource_id : most), from ?? FIRST_ID);
  if (vectors.length === CHUNKS) return { ...none, more: true, from: last, tenants };
  const strike = async (table: string, owner: string) =>
    touched.parse(
      (
        await maintenance.query(
          `DELETE FROM ${table} WHERE (${owner}, session_id, source_id) IN (
             SELECT ${owner}, session_id, source_id FROM ${table} WHERE source_id >= $1 AND source_id < $2 AND source_type = '${resource}' LIMIT $3)
           RETURNING tenant_id AS tenant, ${owner} AS id`,
          bounds,
        )
      ).rows,
    );
  const relations = await strike('relation_evidence', 'relation_id');
  const entities = await strike('entity_mentions', 'entity_id');
  return { more: Math.max(relations.length, entities.length) === CHUNKS, from: last, tenants, entities, relations };
}

const SESSIONS = 500;
const pageRow = z.object({ last: z.string().nullable(), count: z.number(), tenants: z.array(z.string()).nullable() });

/**
 * Cleans up after a detached month, for a page of its sessions after `from`: requests chunks that contain the start of its prompts again, deletes cached model
 * responses, and records the full values of its rows as expired. Idempotent.
 */
export async function followSessions(
  maintenance: pg.Pool,
  { resource, month }: HotMonth,
  from: string | null,
): Promise<{ readonly from: string | null; readonly more: boolean; readonly tenants: readonly string[] }> {
  const { rows } = await maintenance.query(
    `WITH page AS MATERIALIZED (SELECT * FROM detached_month_sessions($1, $2, $3, ${SESSIONS})),
     affected AS (SELECT m.id FROM page g CROSS JOIN LATERAL unnest(g.prompt_seqs) AS prompt(seq) ${rowsAfterPromptSql('g.session_id', 'prompt.seq')}),
     ${rewriteSql('ARRAY(SELECT a.id FROM affected a)')},
     answers AS (DELETE FROM model_response_cache WHERE session_id = ANY (ARRAY(SELECT p.session_id FROM page p))),
     expired AS (${expireValuesSql('SELECT p.tenant_id, full_value FROM page p CROSS JOIN LATERAL unnest(p.full_values) AS full_value')})
     SELECT (SELECT p.session_id::text FROM page p ORDER BY p.session_id DESC LIMIT 1) AS last, (SELECT count(*) FROM page)::integer AS count,
            (SELECT array_agg(DISTINCT p.tenant_id::text) FROM page p WHERE p.prompt_seqs IS NOT NULL) AS tenants`,
    [tableOf(resource), month, from ?? FIRST_ID],
  );
  const { last, count, tenants } = pageRow.parse(rows[0]);
  return { from: last ?? from, more: count === SESSIONS, tenants: tenants ?? [] };
}

/** Drops a month that was taken out of its table. */
export async function dropMonth(maintenance: pg.Pool, { resource, month }: HotMonth): Promise<void> {
  await maintenance.query('SELECT drop_detached_month($1, $2)', [tableOf(resource), month]);
}
