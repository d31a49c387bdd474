import { beforeEach, describe, expect, test } from 'vitest';
import type { ProjectHint } from '../../../../domain/capture/event.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { findProject } from '../../../../stores/postgres/projects/projects.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const db = fileDatabase();
let user: TestUser;
let sessions = 0;

beforeEach(async () => {
  user = await db.createUser();
});

/** Returns the project of a new session with this hint. */
async function projectOf(project: ProjectHint | null, who: TestUser = user): Promise<string | null> {
  sessions += 1;
  const [outcome] = await captureEvents(db.database.pool, [
    event(who, `session-${sessions}`, [promptPart('hello')], { project }),
  ]);
  const found = await db.rows<{ project_id: string | null }>('SELECT project_id FROM sessions WHERE id = $1', [
    outcome?.sessionId,
  ]);
  return found[0]?.project_id ?? null;
}

function projects(): Promise<unknown[]> {
  return db.rows('SELECT display_name, git_remote FROM projects WHERE tenant_id = $1 ORDER BY id', [user.tenantId]);
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

  test('without a remote is identified by machine and path', async () => {
    const first = await projectOf({ path: '/src/app', machineId: 'm1' });
    expect(await projectOf({ path: '/src/app/', machineId: 'm1' })).toBe(first);
    expect(await projectOf({ path: '/src/app', machineId: 'm2' })).not.toBe(first);
  });

  test.each([
    ['a transcript, then hooks', { path: '/src/shop' }, { path: '/src/shop', machineId: 'm1' }],
    ['hooks, then a transcript', { path: '/src/shop', machineId: 'm1' }, { path: '/src/shop' }],
    [
      'a transcript, then hooks with a remote',
      { path: '/src/shop' },
      { remote: A, path: '/src/shop', machineId: 'm1' },
    ],
    [
      'hooks with a remote, then a transcript',
      { remote: A, path: '/src/shop', machineId: 'm1' },
      { path: '/src/shop' },
    ],
  ])('is one for a path with and without its machine: %s', async (_, first, second) => {
    const project = await projectOf(first);
    expect(await projectOf(second)).toBe(project);
    expect(await projectOf(first)).toBe(project);
    expect(await projects()).toHaveLength(1);
  });

  test('of a path without its machine is of the same user, and of the first machine alone', async () => {
    const colleague = await db.createUser({ tenantId: user.tenantId });
    const first = await projectOf({ path: '/src/app' });
    expect(await projectOf({ path: '/src/app', machineId: 'm9' }, colleague)).not.toBe(first);
    expect(await projectOf({ path: '/src/app', machineId: 'm1' })).toBe(first);
    expect(await projectOf({ path: '/src/app', machineId: 'm2' })).not.toBe(first);
    const colleagues = await projectOf({ path: '/src/common', machineId: 'm9' }, colleague);
    expect(await projectOf({ path: '/src/common' })).not.toBe(colleagues);
  });

  test('is found by a path that its remote was seen with', async () => {
    const first = await projectOf({ remote: A, path: '/src/app' });
    expect(await projectOf({ path: '/src/app' })).toBe(first);
  });

  test('that started without a remote gets the one that is found later', async () => {
    const first = await projectOf({ path: '/src/new' });
    expect(await projectOf({ remote: A, path: '/src/new' })).toBe(first);
    expect(await projectOf({ remote: A, path: '/elsewhere' })).toBe(first);
    expect(await projects()).toEqual([{ display_name: 'new', git_remote: 'github.com/team/a' }]);
  });

  test('with a remote is never another one that had the same path before', async () => {
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

  test('is none if no hint is given', async () => {
    expect(await projectOf(null)).toBeNull();
    expect(await projectOf({})).toBeNull();
  });

  test("is the tenant's own, even if another tenant has the same remote", async () => {
    const other = await db.createUser();
    expect(await projectOf({ remote: A }, other)).not.toBe(await projectOf({ remote: A }));
  });

  test('is found by a path that is longer than an index allows', async () => {
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
  test('accepts an id, a remote in any form, a path, or a name, and finds none of another tenant', async () => {
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
    const other = await db.createUser();
    expect(await find(id ?? '', other)).toBeNull();
    expect(await find(A, other)).toBeNull();
  });
});

describe('a session with later hints about its project', () => {
  interface Placed {
    readonly project_id: string | null;
    readonly git_remote: string | null;
  }

  async function sendHints(externalId: string, ...hints: (ProjectHint | null)[]): Promise<Placed> {
    for (const [index, project] of hints.entries())
      await captureEvents(db.database.pool, [
        event(user, externalId, [promptPart(`${index}`)], { key: `${externalId}-${index}`, project }),
      ]);
    return placed(externalId);
  }

  async function placed(externalId: string): Promise<Placed> {
    const found = await db.rows<Placed>(
      'SELECT s.project_id, p.git_remote FROM sessions s LEFT JOIN projects p ON p.id = s.project_id WHERE s.tenant_id = $1 AND s.external_id = $2',
      [user.tenantId, externalId],
    );
    return found[0] ?? { project_id: null, git_remote: null };
  }

  async function aliases(projectId: string | null): Promise<string[]> {
    const found = await db.rows<{ alias: string }>(
      'SELECT alias FROM project_aliases WHERE project_id = $1 ORDER BY alias',
      [projectId],
    );
    return found.map((row) => row.alias);
  }

  test('gets a project if it had none', async () => {
    expect(await sendHints('none', null, null)).toEqual({ project_id: null, git_remote: null });
    expect((await sendHints('none', null, null, { path: '/src/app' })).project_id).not.toBeNull();
  });

  test('adds the remote and the other names to a project that was known by its path', async () => {
    const before = await sendHints('path-first', { path: '/src/app' });
    const after = await sendHints('path-first', null, { path: '/src/app', machineId: 'm1', remote: A });
    expect(after).toEqual({ project_id: before.project_id, git_remote: 'github.com/team/a' });
    expect(await aliases(after.project_id)).toEqual(['path::/src/app', 'path:m1:/src/app', 'remote:github.com/team/a']);
  });

  test('moves to the project of the remote, with its summaries and learnings, and leaves other sessions unchanged', async () => {
    const home = await projectOf({ remote: A, path: '/src/a' });
    const other = await sendHints('stays', { path: '/elsewhere' });
    await sendHints('moves', { path: '/elsewhere' });
    const [session] = await db.rows<{ id: string }>(
      "SELECT id FROM sessions WHERE tenant_id = $1 AND external_id = 'moves'",
      [user.tenantId],
    );
    await db.write(
      `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
       VALUES (uuidv7(), $1, $2, $3, $4, 'session:1', 'session', 't', 'c', 'm', 1, 1, 0, 1, 1, now())`,
      [user.tenantId, session?.id, other.project_id, user.userId],
    );
    await db.write(
      `INSERT INTO learnings (id, tenant_id, session_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from)
       VALUES (uuidv7(), $1, $2, $3, $4, 'f', 'pattern', 't', 'd', 0.5, now())`,
      [user.tenantId, session?.id, other.project_id, user.userId],
    );
    expect((await sendHints('moves', null, { path: '/elsewhere', remote: A })).project_id).toBe(home);
    for (const table of ['summaries', 'learnings']) {
      const rows = await db.rows(`SELECT project_id FROM ${table} WHERE session_id = $1`, [session?.id]);
      expect([table, rows]).toEqual([table, [{ project_id: home }]]);
    }
    expect(await placed('stays')).toEqual({ project_id: other.project_id, git_remote: null });
  });

  test('stays in a project with a remote, whatever remote follows', async () => {
    const first = await sendHints(
      'decided',
      { remote: A, path: '/src/a' },
      { remote: B, path: '/src/b' },
      { path: '/src/c' },
    );
    expect(first.git_remote).toBe('github.com/team/a');
    expect(await aliases(first.project_id)).toEqual(['path::/src/a', 'remote:github.com/team/a']);
  });

  test('with its remote at another path is known there, too', async () => {
    const first = await sendHints('worktree', { remote: A, path: '/src/a' }, { remote: A, path: '/src/a-worktree' });
    expect(await projectOf({ path: '/src/a-worktree' })).toBe(first.project_id);
  });

  test('applies the hints of one batch in order', async () => {
    await captureEvents(db.database.pool, [
      event(user, 'batch', [promptPart('a')], { project: null }),
      event(user, 'batch', [promptPart('b')], { project: { path: '/src/batch' } }),
      event(user, 'batch', [promptPart('c')], { project: { path: '/src/batch', remote: B } }),
    ]);
    const session = await placed('batch');
    expect(session.git_remote).toBe('github.com/team/b');
    expect(await projectOf({ path: '/src/batch' })).toBe(session.project_id);
  });
});
