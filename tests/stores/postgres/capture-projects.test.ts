import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ProjectHint } from '../../../domain/capture/event.ts';
import { captureEvents } from '../../../stores/postgres/capture.ts';
import { findProject } from '../../../stores/postgres/projects.ts';
import { createTestDatabase, createTestUser } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';
import { event, said } from './support/captures.ts';

let db: TestDatabase;
let user: TestUser;
let sessions = 0;

beforeAll(async () => {
  db = await createTestDatabase();
});
beforeEach(async () => {
  user = await createTestUser(db.superuser);
});
afterAll(() => db.close());

/** The project of a new session that is told this. */
async function projectOf(project: ProjectHint | null, who: TestUser = user): Promise<string | null> {
  sessions += 1;
  const [outcome] = await captureEvents(db.database.pool, [
    event(who, `session-${sessions}`, [said('hello')], { project }),
  ]);
  const found = await db.superuser.query<{ project_id: string | null }>(
    'SELECT project_id FROM sessions WHERE id = $1',
    [outcome?.sessionId],
  );
  return found.rows[0]?.project_id ?? null;
}

async function projects(): Promise<unknown[]> {
  return (
    await db.superuser.query('SELECT display_name, git_remote FROM projects WHERE tenant_id = $1 ORDER BY id', [
      user.tenantId,
    ])
  ).rows;
}

const A = 'git@github.com:team/a.git';
const B = 'https://github.com/team/b';

describe('the project of a session', () => {
  test('is one for every way of writing its remote', async () => {
    const first = await projectOf({ remote: A, path: '/one' });
    expect(await projectOf({ remote: 'https://user:token@github.com/team/a', path: '/two' })).toBe(first);
    expect(await projectOf({ remote: 'ssh://git@GitHub.com:22/team/a.git/', machineId: 'm2', path: '/three' })).toBe(
      first,
    );
    expect(await projects()).toEqual([{ display_name: 'a', git_remote: 'github.com/team/a' }]);
  });

  test('without a remote is told by machine and path', async () => {
    const first = await projectOf({ path: '/src/app', machineId: 'm1' });
    expect(await projectOf({ path: '/src/app/', machineId: 'm1' })).toBe(first);
    expect(await projectOf({ path: '/src/app', machineId: 'm2' })).not.toBe(first);
  });

  test('is found by a path that its remote was seen with', async () => {
    const first = await projectOf({ remote: A, path: '/src/app' });
    expect(await projectOf({ path: '/src/app' })).toBe(first);
  });

  test('that began without a remote gets the one that is found later', async () => {
    const first = await projectOf({ path: '/src/new' });
    expect(await projectOf({ remote: A, path: '/src/new' })).toBe(first);
    expect(await projectOf({ remote: A, path: '/elsewhere' })).toBe(first);
    expect(await projects()).toEqual([{ display_name: 'new', git_remote: 'github.com/team/a' }]);
  });

  test('with a remote is never another one that lay at the same path before', async () => {
    const first = await projectOf({ remote: A, path: '/work' });
    const second = await projectOf({ remote: B, path: '/work' });
    expect(second).not.toBe(first);
    expect(await projectOf({ remote: B, path: '/work' })).toBe(second);
    expect(await projectOf({ remote: A, path: '/work' })).toBe(first);
    expect(await projects()).toEqual([
      { display_name: 'a', git_remote: 'github.com/team/a' },
      { display_name: 'b', git_remote: 'github.com/team/b' },
    ]);
  });

  test('of a remote wins over the project of the path', async () => {
    const a = await projectOf({ remote: A, path: '/a' });
    await projectOf({ path: '/plain' });
    expect(await projectOf({ remote: A, path: '/plain' })).toBe(a);
  });

  test('is none when nothing is told', async () => {
    expect(await projectOf(null)).toBeNull();
    expect(await projectOf({})).toBeNull();
  });

  test("is the tenant's own, whatever another calls the same", async () => {
    const other = await createTestUser(db.superuser);
    expect(await projectOf({ remote: A }, other)).not.toBe(await projectOf({ remote: A }));
  });

  test('holds with a path that is longer than an index takes', async () => {
    const path = `/${Array.from({ length: 120 }, (_, index) => `folder-${index}-${Math.imul(index + 1, 2_654_435_761)}`).join('/')}`;
    expect(path.length).toBeGreaterThan(2_000);
    const first = await projectOf({ path });
    expect(first).not.toBeNull();
    expect(await projectOf({ path })).toBe(first);
    expect(await projectOf({ path: `${path}x` })).not.toBe(first);
    expect(
      await db.database.asTenant(user.tenantId, async (transaction) => (await findProject(transaction, path))?.id),
    ).toBe(first);
  });
});

describe('findProject', () => {
  test('takes an id, a remote in any form, a path, or a name, and knows no other tenant', async () => {
    const id = await projectOf({ remote: A, path: '/src/app', machineId: 'm1', name: 'The app' });
    const find = (given: string, who = user) =>
      db.database.asTenant(who.tenantId, async (transaction) => (await findProject(transaction, given))?.id ?? null);
    for (const given of [id ?? '', A, 'github.com/team/a', '/src/app', 'The app'])
      expect([given, await find(given)]).toEqual([given, id]);
    for (const given of ['nothing', 'src/app', '%', '_', B]) expect([given, await find(given)]).toEqual([given, null]);
    const underscored = await projectOf({ path: '/src/my_app', machineId: 'm1' });
    await projectOf({ path: '/src/my-app', machineId: 'm1' });
    expect(await find('/src/my_app')).toBe(underscored);
    expect(await find('/src/m_-app')).toBeNull();
    const other = await createTestUser(db.superuser);
    expect(await find(id ?? '', other)).toBeNull();
    expect(await find(A, other)).toBeNull();
  });
});
