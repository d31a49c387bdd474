import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RouteAccess } from '../../../api/auth.ts';
import { SCOPES } from '../../../domain/access.ts';
import type { Scope } from '../../../domain/access.ts';
import type { TestUser } from '../../setup/database.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { errorOf, writingNothing } from '../support/answers.ts';
import { callRoute, nameOf, ROUTE_RIGHTS, routesOf } from '../support/route-rights.ts';
import type { RouteRight } from '../support/route-rights.ts';
import { AUDITED_ROUTES } from '../support/route-audit.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { noteEvent } from '../support/events.ts';

const ROLES = ['admin', 'user', 'viewer'] as const;
type Role = (typeof ROLES)[number];
const KEYS: readonly (readonly Scope[])[] = [
  ...SCOPES.map((scope) => [scope]),
  ['capture', 'read'],
  SCOPES.filter((scope) => scope !== 'admin'),
  SCOPES,
];

const instance = fileInstance();

/** What the level of a route promises: roles give rights only with their scope, and a viewer writes nowhere. */
function mayPass(right: RouteRight, role: Role, scopes: readonly Scope[], isOperator: boolean): boolean {
  switch (right) {
    case 'open':
    case 'key':
      return true;
    case 'scrape':
    case 'admin':
      return role === 'admin' && scopes.includes('admin');
    case 'operator':
      return role === 'admin' && scopes.includes('admin') && isOperator;
    case 'read':
      return scopes.includes('read');
    case 'read, writes':
      return scopes.includes('read') && role !== 'viewer';
    case 'self':
      return scopes.includes(role === 'viewer' ? 'read' : 'write');
    case 'capture':
    case 'write':
      return scopes.includes(right) && role !== 'viewer';
  }
}

const rightOf = ({ access, writes }: RouteAccess) => (writes ? `${access}, writes` : access);
/** The framework derives HEAD from GET. */
const decided = () => instance.routes.filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'));
const GATE = /^(?:this route|a viewer reads)/;

test('every route has a decision, and its documented level', () => {
  expect(Object.fromEntries(decided().map((route) => [nameOf(route), rightOf(route)]))).toEqual(ROUTE_RIGHTS);
});

test('every route has a decision whether its requests are recorded in the audit log', () => {
  const audited = decided().filter(({ isAudited }) => isAudited);
  expect(audited.map(nameOf).toSorted()).toEqual(AUDITED_ROUTES.toSorted());
});

describe('a key of every role and every set of scopes', () => {
  const cases = ROLES.flatMap((role) => KEYS.map((scopes) => [role, scopes] as const));

  test.each(cases)('%s with %j is refused by every route that it may not use', async (role, scopes) => {
    const { key } = await instance.user({ role, scopes: [...scopes] });
    const refusing = routesOf(instance).filter((route) => {
      const right = ROUTE_RIGHTS[nameOf(route)];
      return right !== undefined && !mayPass(right, role, scopes, true);
    });
    const answers = await writingNothing(instance, () =>
      Promise.all(refusing.map(async (route) => [nameOf(route), await callRoute(instance, route, key)] as const)),
    );
    const wrong = answers.filter(([, answer]) => answer.status !== 403 || errorOf(answer).code !== 'FORBIDDEN');
    expect(wrong.map(([name, { status }]) => `${name}: ${status}`)).toEqual([]);
  });

  const readers = cases.filter(([, scopes]) => scopes.length !== 1 || scopes[0] === 'read');

  test.each(readers)('%s with %j passes to what it may read', async (role, scopes) => {
    const { key } = await instance.user({ role, scopes: [...scopes] });
    const refused: string[] = [];
    for (const route of routesOf(instance).filter(({ method }) => method === 'GET')) {
      const right = ROUTE_RIGHTS[nameOf(route)];
      if (right === undefined || !mayPass(right, role, scopes, true)) continue;
      const answer = await callRoute(instance, route, key);
      if (answer.status === 403 && GATE.test(JSON.stringify(answer.body).slice('{"error":"'.length)))
        refused.push(nameOf(route));
    }
    expect(refused).toEqual([]);
  });

  test('nothing under api/ reads the role of a key but the one file that joins it with the scope', () => {
    const folder = join(import.meta.dirname, '../../api');
    const asking = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') &&
        file !== 'auth.ts' &&
        /holder\.role|\brole\b[^=\n]*= principalOf/.test(readFileSync(join(folder, file), 'utf8')),
    );
    expect(asking).toEqual([]);
  });
});

describe('an admin’s key without the scope admin has a user’s rights', () => {
  let alice: TestUser;
  let limited: TestUser;
  let session: string;
  let row: string;
  let exported: string;

  beforeAll(async () => {
    alice = await instance.user();
    limited = await instance.user({ role: 'admin', scopes: ['capture', 'read', 'write'] });
    const note = noteEvent('hers', 'Alice hides a walrus', { key: 'k' });
    await instance.post('/events', note, alice.key);
    const rows = await instance.rows<{ session: string; row: string }>(
      'SELECT session_id AS session, id AS row FROM observations WHERE user_id = $1',
      [alice.userId],
    );
    session = rows[0]?.session ?? '';
    row = rows[0]?.row ?? '';
    const answer = await instance.post('/exports', { scope: 'user' }, alice.key);
    exported = /"id":"([^"]+)"/.exec(JSON.stringify(answer.body))?.[1] ?? '';
  });

  const until = '2999-01-01T00:00:00Z';
  type Probe = readonly [what: string, method: string, path: () => string, body?: unknown];
  /** What an admin may do with a user's things: refused, or as if there were none. */
  const PROBES: readonly Probe[] = [
    ['erase a person', 'POST', () => '/gdpr/erase', () => ({ kind: 'user', user: alice.userId })],
    ['erase a session', 'POST', () => '/gdpr/erase', () => ({ kind: 'session', session })],
    ['erase a text', 'POST', () => '/gdpr/erase', { kind: 'text', text: 'a walrus' }],
    ['look for a text', 'POST', () => '/gdpr/erase', { kind: 'text', text: 'a walrus', dry_run: true }],
    ['export a person', 'POST', () => '/gdpr/export', () => ({ user: alice.userId })],
    ['export a session', 'POST', () => '/exports', () => ({ scope: 'session', subject: session })],
    ['export the tenant', 'POST', () => '/exports', { scope: 'tenant' }],
    ['read an export', 'GET', () => `/exports/${exported}`],
    ['fetch an export', 'GET', () => `/exports/${exported}/file`],
    ['hide a person', 'POST', () => '/gdpr/restrict', () => ({ user: alice.userId, until })],
    ['hide a session', 'POST', () => '/gdpr/restrict', () => ({ session, until })],
    ['show a session', 'DELETE', () => `/gdpr/restrict?session=${session}`],
    ['rectify', 'POST', () => '/gdpr/rectify', () => ({ id: row, correction: { tags: ['a'] } })],
    ['forget an event', 'DELETE', () => `/events/k?session=${session}`],
    ['forget a memory', 'DELETE', () => `/memories/${row}`],
    ['change a memory', 'PUT', () => `/memories/${row}`, { tags: ['a'] }],
    ['read a memory', 'GET', () => `/memories/${row}`],
    ['steer a session', 'PUT', () => `/sessions/${session}`, { title: 'Mine' }],
    ['end a session', 'POST', () => `/sessions/${session}/close`],
    ['sum a session up', 'POST', () => `/sessions/${session}/summaries`],
    ['end a job', 'POST', () => `/jobs/session.${session}/cancel`],
    ['repeat a job', 'POST', () => `/jobs/session.${session}/retry`],
    ['see a profile', 'GET', () => `/profile?user=${alice.userId}`],
    ['see usage', 'GET', () => `/usage?user=${alice.userId}`],
    ['import from the server', 'POST', () => '/imports', { kind: 'transcripts' }],
  ];
  const ask = (user: TestUser, [, method, path, body]: Probe): Promise<ApiAnswer> =>
    instance.call(method, path(), { key: user.key, body: typeof body === 'function' ? body() : body });

  test.each(PROBES.map((probe) => [probe[0], probe] as const))(
    'and may not %s of another user',
    async (_what, probe) => {
      const { status } = await ask(limited, probe);
      expect([403, 404]).toContain(status);
    },
  );

  test('nor read rows of another user, by any list', async () => {
    for (const path of [
      '/search?q=walrus',
      `/sessions/${session}/observations`,
      `/trace?key=${row}`,
      '/gdpr/requests',
      '/usage',
    ])
      expect(JSON.stringify((await instance.get(path, limited.key)).body)).not.toMatch(
        new RegExp(`walrus|${row}|${alice.userId}`),
      );
  });

  test('while the scope gives the role its rights', async () => {
    expect((await instance.get(`/memories/${row}`)).status).toBe(200);
    expect((await instance.get(`/exports/${exported}`)).status).toBe(200);
    expect((await instance.get(`/profile?user=${alice.userId}`)).status).toBe(200);
    expect((await instance.put(`/sessions/${session}`, { title: 'Named' })).status).toBe(200);
  });
});

test('a viewer’s hooks and tools are refused, clearly, and nothing is written', async () => {
  const { key, userId } = await instance.user({ role: 'viewer' });
  const hook = { session_id: 'watched', prompt: 'hello', cwd: '/src' };
  const answer = await instance.post('/hooks/UserPromptSubmit', hook, key);
  expect(answer.body).toMatchObject({ code: 'FORBIDDEN', error: expect.stringContaining('viewer') });
  const tool = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'remember', arguments: { content: 'x' } },
  };
  const response = await instance.call('POST', '/mcp', {
    key,
    body: tool,
    headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' },
  });
  expect(JSON.stringify(response.body)).not.toMatch(/"hash"/);
  for (const table of ['sessions', 'learnings', 'prompts'])
    expect((await instance.rows(`SELECT FROM ${table} WHERE user_id = $1`, [userId])).length).toBe(0);
});
