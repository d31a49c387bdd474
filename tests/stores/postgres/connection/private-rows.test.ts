import { beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../../../../stores/postgres/connection/database.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { asApplication } from '../support/as-application.ts';
import { seedColleague, seedTenant } from '../support/seed-tenant.ts';

const db = fileDatabase();
let mine: TestUser;
let other: TestUser;
beforeAll(async () => {
  [mine, other] = [await seedTenant(db), await seedTenant(db)];
});
const PRIVATE = ['contexts', 'exports', 'imports', 'observations', 'prompts'];
let colleague: TestUser;
/** The rows that a statement without a filter finds, by table. */
const seenBy = (viewer: string | null) =>
  asApplication(db, mine.tenantId, viewer, async (client) => {
    const owners: Record<string, string[]> = {};
    for (const table of PRIVATE) {
      const { rows } = await client.query<{ user_id: string }>(`SELECT DISTINCT user_id FROM ${table} ORDER BY 1`);
      owners[table] = rows.map((row) => row.user_id);
    }
    return owners;
  });
const all = (owners: readonly string[]) => Object.fromEntries(PRIVATE.map((table) => [table, owners.toSorted()]));

beforeAll(async () => {
  colleague = await seedColleague(db, mine);
});

test('private rows, and learnings with their quotes, have a second policy in these tables', async () => {
  const rows = await db.rows<{ name: string }>(
    "SELECT polrelid::regclass::text AS name FROM pg_policy WHERE polname = 'owner_isolation' AND NOT polpermissive ORDER BY 1",
  );
  expect(rows.map(({ name }) => name)).toEqual(
    [...PRIVATE, 'learning_evidence', 'learnings', 'stream_events'].toSorted(),
  );
});

test('private rows are visible to their user, to transactions for all users, and to no other', async () => {
  expect(await seenBy(null)).toEqual(all([]));
  expect(await seenBy('')).toEqual(all([]));
  expect(await seenBy(mine.userId)).toEqual(all([mine.userId]));
  expect(await seenBy(colleague.userId)).toEqual(all([colleague.userId]));
  expect(await seenBy(other.userId)).toEqual(all([]));
  expect(await seenBy('*')).toEqual(all([mine.userId, colleague.userId]));
  await expect(seenBy("' OR true --")).rejects.toThrow('invalid input syntax for type uuid');
});

test('private rows are not changed, deleted or written for another user', async () => {
  const results = await asApplication(db, mine.tenantId, colleague.userId, async (client) => {
    const changed: [string, number | null, number | null][] = [];
    for (const table of PRIVATE) {
      const { rowCount: updated } = await client.query(`UPDATE ${table} SET user_id = $1 WHERE user_id = $2`, [
        colleague.userId,
        mine.userId,
      ]);
      const { rowCount: deleted } = await client.query(`DELETE FROM ${table} WHERE user_id = $1`, [mine.userId]);
      changed.push([table, updated, deleted]);
    }
    return changed;
  });
  expect(results).toEqual(PRIVATE.map((table) => [table, 0, 0]));
  const insert = 'INSERT INTO prompts (tenant_id, user_id) VALUES ($1, $2)';
  const code = (userId: string) =>
    asApplication(db, mine.tenantId, colleague.userId, (client) =>
      client.query(insert, [mine.tenantId, userId]).then(
        () => null,
        (error: { code?: string }) => error.code,
      ),
    );
  expect([await code(mine.userId), await code(colleague.userId)]).toEqual(['42501', '23502']);
});

test('a private learning and its quotes are visible to its owner alone, a shared one to all', async () => {
  const plant = async (visibility: 'private' | 'shared') => {
    const [row] = await db.write(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, tags, confidence, valid_from, visibility)
       VALUES (uuidv7(), $1, $2, sha256(convert_to('visible ' || $3, 'UTF8')), 'general', $3, $3, '{}', 0.5, now(), $3) RETURNING id`,
      [mine.tenantId, mine.userId, visibility],
    );
    await db.write(
      `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, uuidv7(), sha256('q'), $2, uuidv7(), $3)`,
      [row?.['id'], mine.tenantId, visibility],
    );
  };
  await plant('private');
  await plant('shared');
  const seen = (viewer: string) =>
    asApplication(db, mine.tenantId, viewer, async (client) => {
      const titles = await client.query<{ title: string }>(
        "SELECT title FROM learnings WHERE title IN ('private', 'shared') ORDER BY title",
      );
      const quotes = await client.query<{ quote: string }>(
        "SELECT quote FROM learning_evidence WHERE quote IN ('private', 'shared') ORDER BY quote",
      );
      return [titles.rows.map(({ title }) => title).join(), quotes.rows.map(({ quote }) => quote).join()];
    });
  for (const [viewer, shown] of [
    [mine.userId, 'private,shared'],
    ['*', 'private,shared'],
    [colleague.userId, 'shared'],
    ['', 'shared'],
    [other.userId, 'shared'],
  ] as const)
    expect([viewer, ...(await seen(viewer))]).toEqual([viewer, shown, shown]);
  // Nor is one given to another owner.
  const changed = await asApplication(db, mine.tenantId, colleague.userId, async (client) => {
    const taken = await client.query("UPDATE learnings SET user_id = $1 WHERE title = 'private'", [colleague.userId]);
    return taken.rowCount;
  });
  expect(changed).toBe(0);
});

test('private rows are read by the facade for one viewer, and without a viewer as the process was opened', async () => {
  const { tenantId } = mine;
  const owners = (view: Parameters<typeof db.database.asTenant>[0]) =>
    db.database.asTenant(view, async (transaction) => (await transaction.prompt.findMany()).map((row) => row.userId));
  expect(await owners({ tenantId, viewerId: mine.userId, bounds: null })).toEqual([mine.userId]);
  expect((await owners({ tenantId, viewerId: undefined, bounds: null })).toSorted()).toEqual(
    [mine.userId, colleague.userId].toSorted(),
  );
  expect((await owners(tenantId)).length).toBe(2);
  const answering = createDatabase({
    privateRows: 'none',
    url: db.url('app'),
    max: 1,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 5_000,
    applicationName: 'test-none',
    onIdleError: () => undefined,
  });
  const counts = () =>
    answering.readAsTenant(tenantId, (read) => read({ name: 'private', text: 'SELECT id FROM prompts', values: [] }));
  const viewed = await answering.readAsTenant({ tenantId, viewerId: colleague.userId, bounds: null }, (read) =>
    read({ name: 'private', text: 'SELECT id FROM prompts', values: [] }),
  );
  // On the same connection: the setting ended with its transaction.
  expect([viewed.length, (await counts()).length]).toEqual([1, 0]);
  await answering.close();
});
