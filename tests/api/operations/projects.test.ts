import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { pageOfItems } from '../../../contract/shared.ts';
import { searchAnswer } from '../../../contract/search.ts';
import { projectSchema } from '../../../contract/projects.ts';
import { projectFacts } from '../../../hook/project/facts.ts';
import { newId } from '../../../domain/ids.ts';
import { learningFingerprint } from '../../../stores/postgres/learnings/learnings.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { settled } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { expectError, bodyOf } from '../support/answers.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance();

type Project = z.output<typeof projectSchema>;

const one = async (given: string): Promise<Project> =>
  bodyOf(projectSchema, await instance.get(`/projects/${encodeURIComponent(given)}`));

function git(folder: string, ...args: string[]): void {
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    stdio: 'pipe',
  });
}

function repository(folder: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  writeFileSync(join(folder, 'README'), text);
  git(folder, 'add', '.');
  git(folder, 'commit', '-q', '-m', text);
  return folder;
}

/** Returns the project of a session in this folder, as the hook client reports it. */
async function projectOf(folder: string, machine: string): Promise<string> {
  const facts = await until(async () => {
    const found = await projectFacts(folder, machine);
    // On a busy machine git may not find the first commit in its 300 ms.
    const isLate = existsSync(join(folder, '.git')) && !('git_remote' in found) && !('repository' in found);
    return isLate ? undefined : found;
  });
  const session = newId();
  const hook = { session_id: session, cwd: folder, source: 'startup', ...facts };
  expect((await instance.post('/hooks/SessionStart', hook)).status).toBe(200);
  return (
    (await instance.value<string>('SELECT project_id AS value FROM sessions WHERE external_id = $1', [session])) ??
    'none'
  );
}

describe('one project, however its folder is called', { timeout: 240_000 }, () => {
  const folder = longLivedFolder();
  const laptop = join(folder, 'machine-laptop');
  const desktop = join(folder, 'machine-desktop');

  test('with a remote: its worktree, a subfolder, a moved folder, a clone on another machine; not a fork', async () => {
    const root = repository(join(folder, 'app'), 'an app');
    git(root, 'remote', 'add', 'origin', 'https://someone:token@git.example.org/team/app.git');
    const first = await projectOf(root, laptop);
    git(root, 'worktree', 'add', '-q', join(folder, 'app-feature'));
    mkdirSync(join(root, 'src'));
    expect(await projectOf(join(folder, 'app-feature'), laptop)).toBe(first);
    expect(await projectOf(join(root, 'src'), laptop)).toBe(first);
    git(root, 'worktree', 'remove', '--force', join(folder, 'app-feature'));
    renameSync(root, join(folder, 'app-moved'));
    expect(await projectOf(join(folder, 'app-moved'), laptop)).toBe(first);
    const clone = join(folder, 'elsewhere', 'src', 'app');
    cpSync(join(folder, 'app-moved'), clone, { recursive: true });
    git(clone, 'remote', 'set-url', 'origin', 'git@git.example.org:team/app.git');
    expect(await projectOf(clone, desktop)).toBe(first);
    const fork = join(folder, 'fork');
    cpSync(clone, fork, { recursive: true });
    git(fork, 'remote', 'set-url', 'origin', 'git@git.example.org:someone-else/app.git');
    expect(await projectOf(fork, desktop)).not.toBe(first);
    const known = await one(first);
    expect(known.git_remote).toBe('git.example.org/team/app');
    expect(JSON.stringify(known)).not.toContain('token');
  });

  test('without a remote: known by its first commit after its folder was moved, and on another machine', async () => {
    const root = repository(join(folder, 'local'), 'a local thing');
    const first = await projectOf(root, laptop);
    renameSync(root, join(folder, 'local-moved'));
    expect(await projectOf(join(folder, 'local-moved'), laptop)).toBe(first);
    cpSync(join(folder, 'local-moved'), join(folder, 'copy'), { recursive: true });
    expect(await projectOf(join(folder, 'copy'), desktop)).toBe(first);
    expect(await projectOf(repository(join(folder, 'other'), 'another thing'), laptop)).not.toBe(first);
  });

  test('a folder without a repository: equal paths on two machines are two projects', async () => {
    const plain = join(folder, 'plain');
    mkdirSync(plain);
    const first = await projectOf(plain, laptop);
    expect(await projectOf(plain, laptop)).toBe(first);
    expect(await projectOf(plain, desktop)).not.toBe(first);
  });
});

describe('the list, names and aliases', () => {
  test('is searched and paged', async () => {
    await captured(instance, smallSession('zebra', { remote: 'git@example.org:zoo/zebra_1.git' }).slice(0, 2));
    const found = pageOfItems(projectSchema).parse((await instance.get('/projects?search=ZOO%2Fzebra_')).body);
    expect(found.data).toMatchObject([
      { display_name: 'zebra_1', sessions: 1, aliases: ['remote:example.org/zoo/zebra_1'] },
    ]);
    expect((await instance.get('/projects?limit=2&page=2')).body).toMatchObject({ pagination: { limit: 2, page: 2 } });
    expectError(await instance.get('/projects?limit=0'), 'VALIDATION_FAILED');
    expectError(await instance.get('/projects/unknown'), 'NOT_FOUND');
  });

  test('an alias assigns the next session there to the project; an alias of another project is rejected', async () => {
    const put = (body: object) => instance.put('/projects/zebra_1', body);
    const changed = projectSchema.parse(
      (await put({ display_name: 'Zebra', aliases_add: ['/src/stripes/', 'git@example.org:zoo/stripes.git'] })).body,
    );
    expect(changed.aliases).toEqual(expect.arrayContaining(['path::/src/stripes', 'remote:example.org/zoo/stripes']));
    await captured(instance, smallSession('stripes', { path: '/src/stripes' }).slice(0, 2));
    expect(await one('Zebra')).toMatchObject({ id: changed.id, sessions: 2 });
    await captured(instance, smallSession('lion', { remote: 'git@example.org:zoo/lion.git' }).slice(0, 2));
    const taken = await instance.put('/projects/lion', { aliases_add: ['/src/lion', '/src/stripes'] });
    expectError(taken, 'CONFLICT', 'aliases_add.1');
    expect((await one('lion')).aliases).toEqual(['remote:example.org/zoo/lion']);
    const without = await instance.put(`/projects/${changed.id}`, { aliases_remove: ['/src/stripes'] });
    expect(projectSchema.parse(without.body).aliases).not.toContain('path::/src/stripes');
    expectError(
      await instance.put(`/projects/${changed.id}`, { aliases_add: ['odd'] }),
      'VALIDATION_FAILED',
      'aliases_add.0',
    );
  });

  test('are of a tenant: another one neither sees nor changes them', async () => {
    const stranger = await instance.stranger({ role: 'admin' });
    const { id } = await one('lion');
    for (const [method, path, body] of [
      ['GET', `/projects/${id}`, undefined],
      ['PUT', `/projects/${id}`, { display_name: 'mine' }],
      ['POST', `/projects/${id}/merge`, { into: id }],
    ] as const)
      expectError(await instance.call(method, path, { key: stranger.key, body }), 'NOT_FOUND');
    expect((await instance.get('/projects', stranger.key)).body).toMatchObject({ data: [] });
    const viewer = await instance.user({ role: 'viewer' });
    expectError(await instance.post(`/projects/${id}/merge`, { into: 'Zebra' }, viewer.key), 'FORBIDDEN');
  });
});

describe('merging', { timeout: PATIENCE_MS * 2 }, () => {
  let from: Project;
  let into: Project;

  async function learning(projectId: string, description: string, rowId: string, uses: number): Promise<string> {
    const id = newId();
    const { tenantId, userId } = instance.admin;
    const print = learningFingerprint({
      projectId,
      namespace: 'default',
      ownerId: null,
      category: 'config',
      description,
    });
    await instance.write(
      "INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, use_count, valid_from) VALUES ($1, $2, $3, $4, $5, 'config', $6, $6, 0.5, $7, now())",
      [id, tenantId, projectId, userId, Buffer.from(print), description, uses],
    );
    await instance.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, 'q', $3, $4, 'quote')",
      [id, rowId, tenantId, newId()],
    );
    return id;
  }

  beforeAll(async () => {
    await instance.startWorker();
    await captured(instance, smallSession('old-way', { path: '/src/old-way' }));
    await settled(instance, 'test:old-way', PATIENCE_MS);
    await captured(instance, smallSession('new-way', { remote: 'git@example.org:team/new-way.git' }).slice(0, 2));
    from = await one('/src/old-way');
    into = await one('new-way');
  }, PATIENCE_MS * 2);

  test('moves sessions, summaries, aliases and learnings; what both knew is one, with the evidence of both', async () => {
    const older = await learning(from.id, 'The port is 8080!', newId(), 2);
    const younger = await learning(into.id, 'the port is 8080', newId(), 3);
    const single = await learning(from.id, 'Only here', newId(), 0);
    expectError(await instance.post(`/projects/${from.id}/merge`, { into: from.id }), 'CONFLICT', 'into');
    const answer = await instance.post(`/projects/${encodeURIComponent('/src/old-way')}/merge`, { into: 'new-way' });
    expect(answer.body).toMatchObject({ project: { id: into.id }, moved: { sessions: 1, joined: 1 } });
    const rows = await instance.rows(
      'SELECT id, use_count, (SELECT count(*)::integer FROM learning_evidence e WHERE e.learning_id = l.id) AS evidence FROM learnings l WHERE id = ANY ($1)',
      [[older, younger, single]],
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        { id: older, use_count: 5, evidence: 2 },
        { id: single, use_count: 0, evidence: 1 },
      ]),
    );
    expect(rows).toHaveLength(2);
    const print = await instance.value<Buffer>('SELECT fingerprint AS value FROM learnings WHERE id = $1', [older]);
    expect(
      print?.equals(
        learningFingerprint({
          projectId: into.id,
          namespace: 'default',
          ownerId: null,
          category: 'config',
          description: 'the port is 8080',
        }),
      ),
    ).toBe(true);
    expect(await instance.count('projects WHERE id = $1', [from.id])).toBe(0);
    expect(await one('/src/old-way')).toMatchObject({ id: into.id, sessions: 2 });
  });

  test('leaves nothing unfound: by the id that went, by either name, by keyword and by vector', async () => {
    expect(await one(from.id)).toMatchObject({ id: into.id });
    const search = async (given: string) =>
      searchAnswer.parse(
        (
          await instance.get(
            `/search?q=${encodeURIComponent('rounding of invoices')}&explain=true&project=${encodeURIComponent(given)}`,
          )
        ).body,
      );
    for (const given of [from.id, into.id, 'new-way', '/src/old-way']) {
      const { data, degraded } = await search(given);
      expect([given, degraded]).toEqual([given, []]);
      expect(data.length).toBeGreaterThan(2);
      expect(new Set(data.map((found) => found.project))).toEqual(new Set(['new-way']));
    }
    const context = await instance.post('/context', { purpose: 'session_start', project: 'new-way' });
    expect(JSON.stringify(context.body)).toContain('ound');
    await captured(instance, smallSession('later', { path: '/src/old-way' }).slice(0, 2));
    expect((await one('new-way')).sessions).toBe(3);
  });
});
