import { afterAll, beforeAll, expect, test } from 'vitest';
import { within } from '../../../../retrieval/stage-clock.ts';
import { timedQueries, tookTooLong } from '../../../../stores/postgres/connection/tenant-scope.ts';
import { createTestDatabase, createTestUser } from '../../../setup/database.ts';
import type { TestDatabase } from '../../../setup/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

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
  const user = await createTestUser(db.superuser);
  const late = db.database.readAsTenant(user.tenantId, (read) => read(SLOW), 100);
  await expect(late).rejects.toSatisfy(tookTooLong);
});

test('a retriever whose query PostgreSQL ended is late, not failed', async () => {
  expect(await within(20_000, timedQueries(db.database.pool, 50).query(SLOW))).toBeNull();
});
