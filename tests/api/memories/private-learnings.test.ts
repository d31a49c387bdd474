import { readFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { exportSchema } from '../../../contract/gdpr.ts';
import { learningDetail, learningSchema } from '../../../contract/learnings.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { runProgram } from '../../cli/support/output.ts';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import type { TestUser } from '../../setup/database.ts';
import { finished } from '../../setup/demo-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { bodyOf, errorOf, expectError, inTime } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';
import { indexed } from '../support/indexed.ts';
import { given } from '../support/learnings.ts';
import { logIn, withPassword } from '../support/log-in.ts';
import { remembered } from '../support/memories.ts';

/** A word that only private learnings of one user contain. */
const MARK = 'axolotl';
const PROJECT = '/src/lagoon';
const QUOTE = 'the lagoon gate opens at nine';
const here = fileInstance();
const folder = longLivedFolder();
let owner: TestUser;
let other: TestUser;
/** Access token of a log-in of the other user. */
let session: string;
let id: string;
let hash: string;
/** An earlier version. */
let older: string;
let quoting: string;
let quoted: string;
let asOf: string;

beforeAll(async () => {
  await here.startWorker();
  owner = await here.user();
  other = await here.user();
  session = (await logIn(here, await withPassword(here, other))).access_token;
  for (const user of [owner, other])
    await here.post(
      '/events',
      promptEvent(`of ${user.userId}`, QUOTE, { project: { path: PROJECT }, infer: false }),
      user.key,
    );
  quoted = (await here.value<string>('SELECT id AS value FROM prompts WHERE user_id = $1', [owner.userId])) ?? '';
  const first = await remembered(
    here,
    `The ${MARK} key rotates every hour`,
    { title: `The ${MARK} key`, tags: [MARK], project: PROJECT, visibility: 'private' },
    { key: owner.key },
  );
  older = bodyOf(learningDetail, await here.get(`/learnings/${first}`, owner.key)).id;
  const content = `The ${MARK} key of keeper.ts rotates every ninth hour`;
  ({ id, hash } = bodyOf(learningSchema, await here.put(`/learnings/${older}`, { description: content }, owner.key)));
  const evidence = [{ row_id: quoted, quote: QUOTE }];
  const more = { visibility: 'private', project: PROJECT, evidence };
  ({ id: quoting } = await given(here, `An ${MARK} waits at the gate`, more, { key: owner.key }));
  await indexed(here);
  asOf = new Date().toISOString();
});

/** The reads of people and agents: the address, and the body of a POST. */
const reads = (): readonly (readonly [string, object?])[] => {
  const project = encodeURIComponent(PROJECT);
  const now = encodeURIComponent(asOf);
  return [
    ['/learnings?limit=100'],
    [`/learnings?q=${MARK}`],
    [`/learnings?tag=${MARK}`],
    ['/learnings?include_closed=true'],
    ['/learnings?visibility=private'],
    [`/learnings?as_of=${now}`],
    [`/learnings?session=${encodeURIComponent(`test:of ${owner.userId}`)}`],
    [`/learnings/${id}`],
    [`/learnings/${hash}`],
    [`/learnings/${older}`],
    [`/learnings/${quoting}`],
    [`/memories/${id}`],
    [`/memories/${older}`],
    [`/memories/by-hash/${hash}`],
    [`/memories/${id}?as_of=${now}`],
    ['/memories/get', { ids: [id, hash, quoting] }],
    [`/search?q=${MARK}+key&nearest=true&limit=50`],
    [`/search?q=${encodeURIComponent(`"${MARK} key"`)}`],
    ['/search?q=file:keeper.ts&nearest=true'],
    [`/search?q=key&tags=${MARK}&nearest=true`],
    [`/search?q=${MARK}&as_of=${now}&nearest=true`],
    [`/search?q=latest&project=${project}&limit=50&nearest=true`],
    ['/search/semantic', { q: `How often does the ${MARK} key rotate?`, limit: 50 }],
    ['/search/suggest?q=axo'],
    ['/context', { purpose: 'session_start', project: PROJECT, budget_tokens: 4_000 }],
    ['/context', { purpose: 'prompt', prompt: `How often does the ${MARK} key rotate?`, project: PROJECT }],
    ['/context', { purpose: 'file', file: 'keeper.ts', project: PROJECT }],
    [`/timeline?q=${MARK}`],
    [`/timeline?anchor=${id}`],
    [`/timeline?anchor=${quoted}&project=${project}`],
    [`/graph?q=${MARK}`],
    ['/graph?limit=200&depth=2'],
    ['/profile'],
    [`/trace?key=${quoted}`],
    ['/mcp', { name: 'search', arguments: { q: `${MARK} key`, nearest: true } }],
    ['/mcp', { name: 'get', arguments: { hashes: [hash] } }],
    ['/mcp', { name: 'context', arguments: { prompt: `How often does the ${MARK} key rotate?`, project: PROJECT } }],
    ['/mcp', { name: 'timeline', arguments: { anchor: hash } }],
  ];
};

const MCP = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' };
const ask = ([address, body]: readonly [string, object?], key: string) =>
  address === '/mcp'
    ? here.call('POST', '/mcp', {
        key,
        headers: MCP,
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: body },
      })
    : here.call(body === undefined ? 'GET' : 'POST', address, { key, ...(body === undefined ? {} : { body }) });
/** The reads whose answer contains the word; the question is not part of it. */
const shownTo = async (key: string) => {
  const shown: string[] = [];
  for (const read of reads()) {
    const answer = await ask(read, key);
    const text = JSON.stringify(answer.body, (name, value: unknown) => (name === 'query' ? undefined : value));
    if (text.toLowerCase().includes(MARK)) shown.push(JSON.stringify(read));
  }
  return shown;
};

test('a private learning is in no answer to another user, by key or by session, and in those to its owner and admins', async () => {
  const hiddenFrom = async (key: string) => {
    const shown = await shownTo(key);
    return reads().flatMap((read) => (shown.includes(JSON.stringify(read)) ? [] : [read]));
  };
  // The graph is the project's.
  const ofProject = [[`/graph?q=${MARK}`], ['/graph?limit=200&depth=2']];
  // On a busy machine a completion may come too late.
  const patience = { timeout: 100_000 };
  await expect.poll(() => hiddenFrom(owner.key), patience).toEqual(ofProject);
  await expect.poll(() => hiddenFrom(here.admin.key), patience).toEqual([...ofProject, ['/profile']]);
  for (const key of [other.key, session]) expect(await shownTo(key)).toEqual([]);
});

test('by its id and hash it does not exist for another user, nor may it be changed', async () => {
  const changes = ['/invalidate', '/supersede', '/verify'].map((change) => ['POST', `/learnings/${id}${change}`]);
  const bodies: Readonly<Record<string, object>> = {
    '/invalidate': { reason: 'x' },
    '/supersede': { by: hash, reason: 'x' },
    '/visibility': { visibility: 'shared' },
    '/verify': {},
  };
  for (const key of [other.key, session])
    for (const [method = '', address = ''] of [
      ...['/learnings', '/memories'].flatMap((of) =>
        [id, hash, older].flatMap((name) => ['GET', 'PUT', 'DELETE'].map((method) => [method, `${of}/${name}`])),
      ),
      ['PUT', `/learnings/${id}/visibility`],
      ...changes,
    ]) {
      if (address.endsWith('/verify')) continue;
      const body = bodies[/\/[a-z]+$/.exec(address)?.[0] ?? ''] ?? (method === 'PUT' ? { title: 'Mine' } : undefined);
      const answer = await here.call(method, address, { key, ...(body === undefined ? {} : { body }) });
      expect([method, address, errorOf(answer).code]).toEqual([method, address, 'NOT_FOUND']);
    }
  expect(bodyOf(learningDetail, await here.get(`/learnings/${id}`, owner.key)).versions).toHaveLength(2);
});

/** Returns the lines of an export of a table. */
async function exported(body: object, key: string, table: string): Promise<string> {
  const { id: job } = exportSchema.parse((await here.post('/exports', body, key)).body);
  await until(
    async () => bodyOf(exportSchema, await here.get(`/exports/${job}`, key)).state !== 'running' || undefined,
  );
  const file = path.join(here.config.archive.address ?? '', 'exports', here.admin.tenantId, `${job}.ndjson.zst`);
  const lines = zstdDecompressSync(readFileSync(file)).toString('utf8').split('\n');
  return lines.filter((line) => line.startsWith(`{"table":"${table}"`)).join('\n');
}

test('an export of a user contains the own private learnings, and none of others that its sessions taught', async () => {
  // Taught by a session of the other user while it was shared.
  const row = await here.value<string>('SELECT id AS value FROM prompts WHERE user_id = $1', [other.userId]);
  await here.write(
    `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote)
     SELECT $1, p.id, sha256('q'), p.tenant_id, p.session_id, $3 FROM prompts p WHERE p.id = $2`,
    [quoting, row, QUOTE],
  );
  expect(await exported({ scope: 'user' }, owner.key, 'learnings')).toContain(MARK);
  expect(await exported({ scope: 'user' }, other.key, 'learnings')).not.toContain(MARK);
  const subject = `test:of ${other.userId}`;
  expect(await exported({ scope: 'session', subject }, other.key, 'learnings')).not.toContain(MARK);
});

test('who forgets an event removes its quotes from private learnings of others, too', async () => {
  const evidence = () => here.count(`learning_evidence WHERE learning_id = '${quoting}'`);
  const row = await here.value<string>('SELECT id AS value FROM prompts WHERE user_id = $1', [other.userId]);
  expect(await evidence()).toBe(2);
  expect((await here.delete(`/events/${row}`, other.key)).status).toBe(200);
  expect(await evidence()).toBe(1);
  expect((await here.get(`/learnings/${quoting}`, owner.key)).status).toBe(200);
});

describe('sharing', () => {
  const set = (value: unknown, key?: string) => here.put('/admin/settings/learnings.visibility', { value }, key);

  test('admins alone set the visibility of new learnings', async () => {
    for (const key of [owner.key, session]) expectError(await set('private', key), 'FORBIDDEN');
    for (const value of ['all', '', 1, ['private'], null]) expectError(await set(value), 'VALIDATION_FAILED', 'value');
    for (const visibility of ['all', '', null, 7])
      for (const [method, address, more] of [
        ['POST', '/memories', { content: 'x' }],
        ['POST', '/learnings', { title: 'x', description: 'x' }],
        ['PUT', `/learnings/${id}/visibility`, {}],
      ] as const)
        expectError(
          await here.call(method, address, { key: owner.key, body: { ...more, visibility } }),
          'VALIDATION_FAILED',
          'visibility',
        );
    const by = { title: 'x', description: 'x', visibility: 'shared' };
    const superseding = await here.post(`/learnings/${id}/supersede`, { by, reason: 'x' }, owner.key);
    expect(superseding.status).toBe(422);
  });

  test('in a tenant of private learnings, those of sessions and hands are private, unless they state otherwise', async () => {
    expect(await set('private')).toMatchObject({ status: 200, body: { value: 'private' } });
    const statements = [
      'From now on always run the pelican linter before a commit.',
      'Always use tabs in the pelican project.',
    ];
    for (const [n, text] of statements.entries())
      await here.post(
        '/events',
        promptEvent('pelican', text, { project: { path: '/src/pelican' }, key: `p${n}` }),
        owner.key,
      );
    expect(await inTime(() => here.post('/sessions/test:pelican/close', {}, owner.key))).toMatchObject({ status: 202 });
    await finished(here, 'test:pelican');
    const project = encodeURIComponent('/src/pelican');
    const list = async (key: string) =>
      bodyOf(cursorPageOf(learningSchema), await here.get(`/learnings?project=${project}`, key)).data;
    const own = await list(owner.key);
    expect([own.length > 0, new Set(own.map(({ visibility, origin }) => `${visibility} ${origin}`))]).toEqual([
      true,
      new Set(['private extracted']),
    ]);
    expect(await list(other.key)).toEqual([]);
    const visibilityOf = async (content: string, more: object = {}) =>
      bodyOf(
        learningDetail,
        await here.get(`/learnings/${await remembered(here, content, { ...more }, { key: other.key })}`, other.key),
      ).visibility;
    expect(await visibilityOf('Kelp grows in the lagoon')).toBe('private');
    expect(await visibilityOf('Kelp grows in the lagoon, slowly', { infer: true, project: PROJECT })).toBe('private');
    expect(await visibilityOf('Kelp grows in the lagoon', { visibility: 'shared' })).toBe('shared');
    // The same words of two users are two private learnings, and one shared one.
    const again = await here.post('/memories', { content: 'Kelp grows in the lagoon' }, owner.key);
    expect(again.status).toBe(201);
    const shared = await here.post(
      '/memories',
      { content: 'Kelp grows in the lagoon', visibility: 'shared' },
      owner.key,
    );
    expect(shared.status).toBe(200);
    expect(await set('shared')).toMatchObject({ status: 200 });
    expect(await visibilityOf('Kelp grows in the lagoon and beyond')).toBe('shared');
    expect(await list(other.key)).toEqual([]);
  });

  test('the owner shares a learning with all its versions, and takes it back; words that are shared already conflict', async () => {
    const visibility = (value: string, key = owner.key) =>
      here.put(`/learnings/${older}/visibility`, { visibility: value }, key);
    expect((await visibility('shared')).body).toMatchObject({ id, visibility: 'shared' });
    await indexed(here);
    const versions = async (key: string) => {
      const answer = await here.get(`/learnings/${id}`, key);
      return answer.status === 200 ? bodyOf(learningDetail, answer).versions.length : answer.status;
    };
    const isFound = async () =>
      JSON.stringify((await here.get(`/search?q=${MARK}+key+rotates`, other.key)).body).includes(id);
    expect([await versions(other.key), await isFound()]).toEqual([2, true]);
    // Others read it now, and change it no more than any other.
    expectError(await visibility('private', other.key), 'FORBIDDEN');
    const { body } = await here.get(`/memories/${id}`, other.key);
    const { content } = z.object({ content: z.string() }).parse(body);
    const twin = await remembered(here, content, { project: PROJECT, visibility: 'private' }, { key: other.key });
    expectError(
      await here.put(`/learnings/${twin}/visibility`, { visibility: 'shared' }, other.key),
      'CONFLICT',
      'visibility',
    );
    expect((await visibility('private', here.admin.key)).body).toMatchObject({ id, visibility: 'private' });
    expect([await versions(other.key), await isFound(), await versions(owner.key)]).toEqual([404, false, 2]);
    await indexed(here);
    expect([await isFound(), (await here.get(`/search?q=${MARK}+key+rotates`, owner.key)).body]).toEqual([
      false,
      expect.objectContaining({ data: expect.arrayContaining([expect.objectContaining({ id })]) }),
    ]);
  });

  test('a shared learning is not superseded by a private one', async () => {
    const shared = await given(here, 'Herons nest in March', {}, { key: owner.key });
    const superseded = await here.post(`/learnings/${shared.id}/supersede`, { by: id, reason: 'x' }, owner.key);
    expectError(superseded, 'VALIDATION_FAILED', 'by');
    const by = { title: 'Herons', description: 'Herons nest in April' };
    const next = await here.post(`/learnings/${quoting}/supersede`, { by, reason: 'newer' });
    // As private as what it replaces, and of the same owner.
    expect(next.body).toMatchObject({ visibility: 'private' });
    expect((await here.get(`/learnings/${bodyOf(learningSchema, next).id}`, owner.key)).status).toBe(200);
    expectError(await here.get(`/learnings/${bodyOf(learningSchema, next).id}`, other.key), 'NOT_FOUND');
  });

  test('by the command line', async () => {
    const run = (key: string, ...args: string[]) => {
      writeFileAtomic(path.join(folder, 'client.json'), JSON.stringify({ url: here.url, api_key: key }));
      return runProgram([...args, '--data-dir', folder]);
    };
    const { key } = here.admin;
    expect((await run(key, 'sharing', 'set', 'private')).text).toContain('New learnings are private');
    expect((await run(key, 'sharing', 'show')).text).toContain('New learnings are private');
    expect((await run(key, 'sharing', 'set', 'shared')).text).toContain('New learnings are shared');
    expect((await run(other.key, 'sharing', 'show')).code).toBe(1);
    const stored = await run(other.key, 'remember', 'A gull sleeps', '--no-project', '--visibility', 'private');
    const name = /[a-z2-7]{8}/.exec(stored.text.slice(stored.text.indexOf(':')))?.[0] ?? '';
    expect((await run(other.key, 'learnings', 'show', name)).text).toMatch(/stored manually, private/);
    expect((await run(other.key, 'learnings', '--visibility', 'private')).text).toMatch(
      /manual, private .*A gull sleeps/,
    );
    expect((await run(other.key, 'learnings', 'share', name)).text).toBe('Shared with all users of the tenant.\n');
    expect((await here.get(`/learnings/${name}`, owner.key)).body).toMatchObject({ visibility: 'shared' });
    expect((await run(other.key, 'learnings', 'unshare', name)).text).toBe('Private: you and admins read it.\n');
    expectError(await here.get(`/learnings/${name}`, owner.key), 'NOT_FOUND');
  });
});
