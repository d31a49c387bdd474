import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchKeyword } from '../../../../stores/postgres/search/keyword-search.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';

/** Rows of the searching tenant; every other tenant has a quarter of it. */
const ROWS = 24_000;
const OTHER_TENANTS = 3;
/** Beyond five calls PostgreSQL may plan a prepared statement once for all values. */
const CALLS = 12;
/** How much slower the plain query must at least be. Measured: more than ten times. */
const LEAST_RATIO = 3;
const RARE_WORD = 'zymurgy';
const PLAIN =
  "SELECT id FROM observations WHERE search @@ websearch_to_tsquery('english', $1) ORDER BY ts_rank(search, websearch_to_tsquery('english', $1), 1) DESC, id LIMIT 20";

const db = fileDatabase();
const user = fileUser(db);
let pool: pg.Pool;
const plans: string[] = [];

async function load(tenant: TestUser, rows: number): Promise<void> {
  const session = await db.write<{ id: string }>(
    "INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at) VALUES (uuidv7(), $1, $2, 'test', 'loaded', now(), now()) RETURNING id",
    [tenant.tenantId, tenant.userId],
  );
  await db.write(
    `INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, title, content, preview, tokens, occurred_at, search)
     SELECT uuidv7(), $1, $2, $3, n, 'info', 'observation', '', content, '', 1, now(), to_tsvector('english', content)
       FROM generate_series(1, $4::integer) AS n
      CROSS JOIN LATERAL (SELECT string_agg('word' || ((n * 7919 + k * 104729) % 5000), ' ') || CASE WHEN n % 1000 = 0 THEN ' ' || $5 ELSE '' END AS content FROM generate_series(1, 40) AS k) AS text`,
    [tenant.tenantId, session[0]?.id, tenant.userId, rows, RARE_WORD],
  );
}

beforeAll(async () => {
  await load(user, ROWS);
  for (let other = 0; other < OTHER_TENANTS; other += 1) await load(await db.createUser(), ROWS / 4);
  await db.owner.query('VACUUM ANALYZE observations');
  // The plans of statements inside functions, as notices to the client that ran them: only a superuser may arrange that.
  const settings = { log_min_duration: '0', log_nested_statements: 'on', log_level: 'notice', log_format: 'text' };
  await db.superuser.query(
    `ALTER ROLE recollect_app IN DATABASE ${db.name} SET session_preload_libraries = 'auto_explain'`,
  );
  for (const [name, value] of Object.entries(settings))
    await db.superuser.query(`ALTER ROLE recollect_app IN DATABASE ${db.name} SET auto_explain.${name} = '${value}'`);
  pool = new pg.Pool({ connectionString: db.url('app'), max: 1 });
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('notice', (notice) => plans.push(notice.message ?? '')));
});
afterAll(async () => {
  await pool.end();
  await db.superuser.query(`ALTER ROLE recollect_app IN DATABASE ${db.name} RESET ALL`);
});

/** Scans of the observations' GIN index so far, over all its parts. */
async function ginScans(): Promise<number> {
  await pool.query('SELECT pg_stat_force_next_flush()');
  const scans = await db.rows<{ n: number }>(
    "SELECT sum(s.idx_scan)::integer AS n FROM pg_partition_tree('observations_search_idx') t JOIN pg_stat_user_indexes s ON s.indexrelid = t.relid",
  );
  return scans[0]?.n ?? -1;
}

/** The plain query as the tenant, under its policy; how many it finds. */
async function plain(prefix = ''): Promise<pg.QueryResult> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query("SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', '*', true)", [
      user.tenantId,
    ]);
    return await client.query(`${prefix}${PLAIN}`, [RARE_WORD]);
  } finally {
    await client.query('COMMIT');
    client.release();
  }
}

const byFunction = () => searchKeyword(pool, user.tenantId, RARE_WORD, {}, 20);

async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let call = 0; call < CALLS; call += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[CALLS / 2] ?? Number.NaN;
}

/** Index conditions on `search` in a plan: what shows that the words themselves were looked up. */
const LOOKS_UP_WORDS =
  /Bitmap Index Scan on observations_\w+_idx[^\n]*\n(?:[^\n]*Index Searches[^\n]*\n)?\s*Index Cond: [^\n]*search @@/;

describe('keyword search as the application', () => {
  test('looks the words up in the GIN index, at the first call and after PostgreSQL may have settled on one plan', async () => {
    const part = await db.value<string>('SELECT DISTINCT tableoid::regclass::text AS value FROM observations');
    for (const callsBefore of [0, CALLS]) {
      for (let call = 0; call < callsBefore; call += 1) await byFunction();
      const before = await ginScans();
      plans.length = 0;
      expect((await byFunction()).length).toBe(20);
      const nested = plans.filter((plan) => plan.includes('ts_rank'));
      expect(nested.length).toBeGreaterThan(0);
      for (const plan of nested) {
        expect(plan).toMatch(LOOKS_UP_WORDS);
        // Parts without rows may be read as they are.
        expect(plan).not.toContain(`Seq Scan on ${part}`);
      }
      expect(await ginScans()).toBeGreaterThan(before);
    }
  });

  test('compares texts with a phrase best first: one phrase is in the worst match alone', async () => {
    const session = await db.value<string>('SELECT id AS value FROM sessions WHERE tenant_id = $1', [user.tenantId]);
    // One lexeme with the rare word, and a text with more other words ranks lower.
    const filler = Array.from({ length: 300 }, (_, n) => `other${n}`).join(' ');
    const [worst] = await db.write<{ id: string }>(
      `INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, title, content, preview, tokens, occurred_at, search)
       VALUES (uuidv7(), $1, $2, $3, $4, 'info', 'observation', '', $5, '', 1, now(), to_tsvector('english', $5)) RETURNING id`,
      [user.tenantId, session, user.userId, ROWS + 1, `${filler} Zymurgies\n  at home`],
    );
    const contain = async (phrase: string) =>
      (await searchKeyword(pool, user.tenantId, phrase, { phrases: [phrase] }, 20)).map(({ memoryId }) => memoryId);
    expect(await contain('zymurgies')).toEqual([worst?.id]);
    expect(await contain('zymurgies at home')).toEqual([worst?.id]);
    expect((await contain('zymurgy')).length).toBe(20);
    expect(await contain('zymurgy')).not.toContain(worst?.id);
  });

  test('a plain query under the policy does not, so the function is needed', async () => {
    const plan = (await plain('EXPLAIN ')).rows.map((row: Record<string, string>) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Filter: [^\n]*search @@/);
    expect(plan).not.toMatch(LOOKS_UP_WORDS);
    expect((await plain()).rows.length).toBe(20);
  });

  test('is many times faster than the plain query', async () => {
    await byFunction();
    const fast = await medianMs(byFunction);
    const slow = await medianMs(plain);
    expect(slow / fast, `plain ${slow.toFixed(1)} ms, by function ${fast.toFixed(1)} ms`).toBeGreaterThan(LEAST_RATIO);
  });
});
