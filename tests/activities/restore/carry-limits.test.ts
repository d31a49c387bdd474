import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { carryLimits } from '../../../activities/restore/carry-access.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';

let running: TestDatabase;
let restored: TestDatabase;
let user: TestUser;
const sessions = { hidden: newId(), lifted: newId(), since: newId() } as const;

async function seed(db: TestDatabase, names: readonly (keyof typeof sessions)[]): Promise<void> {
  await db.write('INSERT INTO tenants (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING', [user.tenantId, 'a case']);
  await db.write(
    "INSERT INTO users (id, tenant_id, username, password_hash) VALUES ($1, $2, 'someone', 'none') ON CONFLICT DO NOTHING",
    [user.userId, user.tenantId],
  );
  for (const name of names)
    await db.write(
      "INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at) VALUES ($1, $2, $3, 'test', $4, now(), now())",
      [sessions[name], user.tenantId, user.userId, name],
    );
}

const hold = (db: TestDatabase, id: string, tenantId: string, isReleased: boolean): Promise<unknown> =>
  db.write(
    `INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by, released_by, released_at)
     VALUES ($1, $2, 'session', $3, 'a case', $4, CASE WHEN $5 THEN $4::uuid END, CASE WHEN $5 THEN now() END)`,
    [id, tenantId, sessions.hidden, user.userId, isReleased],
  );

async function hiddenIn(db: TestDatabase): Promise<string[]> {
  const rows = await db.rows<{ external_id: string }>(
    'SELECT external_id FROM sessions WHERE restricted_until IS NOT NULL ORDER BY external_id',
  );
  return rows.map((row) => row.external_id);
}

beforeAll(async () => {
  [running, restored] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  user = await running.createUser();
  await seed(running, ['hidden', 'lifted', 'since']);
  await seed(restored, ['hidden', 'lifted']);
});
afterAll(async () => {
  await running.close();
  await restored.close();
});

test('restores retain current legal holds and restrictions', async () => {
  const [current, released, foreign] = [newId(), newId(), newId()];
  await hold(running, current, user.tenantId, false);
  await hold(running, released, user.tenantId, true);
  await hold(restored, released, user.tenantId, false);
  await hold(running, foreign, newId(), false);
  await running.write("UPDATE sessions SET restricted_until = 'infinity' WHERE id = ANY ($1::uuid[])", [
    [sessions.hidden, sessions.since],
  ]);
  await restored.write("UPDATE sessions SET restricted_until = 'infinity' WHERE id = $1", [sessions.lifted]);
  await running.write("UPDATE users SET restricted_until = now() + interval '1 day' WHERE id = $1", [user.userId]);

  const clients = [running, restored].map((db) => new pg.Client({ connectionString: db.url('maintenance') }));
  const [from, into] = clients;
  if (from === undefined || into === undefined) throw new Error('there are two');
  try {
    for (const client of clients) await client.connect();
    await carryLimits(from, into);
    await carryLimits(from, into);
  } finally {
    for (const client of clients) await client.end();
  }

  const found = await restored.rows<{ id: string; open: boolean }>(
    'SELECT id, released_at IS NULL AS open FROM legal_holds',
  );
  expect(new Map(found.map(({ id, open }) => [id, open]))).toEqual(
    new Map([
      [current, true],
      [released, false],
    ]),
  );
  expect(await hiddenIn(restored)).toEqual(['hidden']);
  expect(await restored.count('users WHERE restricted_until > now()')).toBe(1);
});
