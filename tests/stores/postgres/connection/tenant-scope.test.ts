import { beforeAll, expect, test } from 'vitest';
import { within } from '../../../../retrieval/stage-clock.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { timedQueries, tookTooLong } from '../../../../stores/postgres/connection/tenant-scope.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);
const other = fileUser(db);

beforeAll(async () => {
  await captureEvents(db.database.pool, [
    event(user, 'mine', [promptPart('Mine')]),
    event(other, 'other', [promptPart('Other')]),
  ]);
});

const PROMPTS = { name: 'prompts', text: 'SELECT content FROM prompts', values: [] };
const SETTINGS = {
  name: 'settings',
  text: "SELECT coalesce(current_setting('app.tenant_id', true), '') AS tenant, current_setting('plan_cache_mode') AS plans, current_setting('transaction_read_only') AS read_only",
  values: [],
};

test('reads see only the rows of their tenant, by cached plans, and cannot write', async () => {
  const seen = await db.database.readAsTenant(user.tenantId, async (read) => [
    await read(PROMPTS),
    await read(SETTINGS),
  ]);
  expect(seen).toEqual([
    [{ content: 'Mine' }],
    [{ tenant: user.tenantId, plans: 'force_generic_plan', read_only: 'on' }],
  ]);
  expect(await db.database.readAsTenant(other.tenantId, (read) => read(PROMPTS))).toEqual([{ content: 'Other' }]);
});

test('the connection retains no state of a read', async () => {
  await db.database.readAsTenant(user.tenantId, (read) => read(PROMPTS));
  const idle = db.database.pool.totalCount;
  const after = await Promise.all(
    Array.from({ length: idle }, () => db.database.pool.query('SELECT content FROM prompts')),
  );
  expect(after.flatMap((answer) => answer.rows)).toEqual([]);
  const { rows } = await db.database.pool.query(SETTINGS);
  expect(rows).toEqual([{ tenant: '', plans: 'auto', read_only: 'off' }]);
});

test('a failed read reports the cause, and the next one has a usable connection', async () => {
  const failing = db.database.readAsTenant(user.tenantId, (read) =>
    read({ name: 'no_such', text: 'SELECT 1 FROM no_such_table', values: [] }),
  );
  await expect(failing).rejects.toThrow('no_such_table');
  expect(await db.database.readAsTenant(user.tenantId, (read) => read(PROMPTS))).toEqual([{ content: 'Mine' }]);
});

const SLOW = { name: 'slow', text: 'SELECT pg_sleep(20)', values: [] };
const LIMIT = { name: 'limit', text: "SELECT current_setting('statement_timeout') AS value", values: [] };

test('a read that exceeds its time is ended by PostgreSQL, and its connection serves the next as before', async () => {
  const { pool } = db.database;
  const plain = (await pool.query(LIMIT)).rows;
  // Twice as many as connections: the second half runs only if the first releases them.
  const reads = Array.from({ length: pool.options.max * 2 }, () => timedQueries(pool, 100).query(SLOW));
  for (const ended of await Promise.allSettled(reads))
    expect(ended.status === 'rejected' && tookTooLong(ended.reason)).toBe(true);
  expect((await timedQueries(pool, 1_234.5).query(LIMIT)).rows).toEqual([{ value: '1235ms' }]);
  expect((await pool.query(LIMIT)).rows).toEqual(plain);
});

test('reads of a tenant are ended after their time limit, if they have one', async () => {
  const late = db.database.readAsTenant(user.tenantId, (read) => read(SLOW), 100);
  await expect(late).rejects.toSatisfy(tookTooLong);
});

test('a retriever whose query PostgreSQL ended is late, not failed', async () => {
  expect(await within(20_000, timedQueries(db.database.pool, 50).query(SLOW))).toBeNull();
});
