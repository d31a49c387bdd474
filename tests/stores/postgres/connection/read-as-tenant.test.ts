import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { createTestDatabase, createTestUser } from '../../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

let db: TestDatabase;
let user: TestUser;
let other: TestUser;

beforeAll(async () => {
  db = await createTestDatabase();
  user = await createTestUser(db.superuser);
  other = await createTestUser(db.superuser);
  await captureEvents(db.database.pool, [
    event(user, 'mine', [promptPart('Mine')]),
    event(other, 'other', [promptPart('Other')]),
  ]);
});
afterAll(() => db.close());

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
