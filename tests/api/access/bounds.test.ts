import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isForBoundKeys } from '../../../api/bounds.ts';
import { keySchema, rotatedKey } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { createdIn, makeKey } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { noteEvent } from '../support/events.ts';
import { callRoute, nameOf, ROUTE_RIGHTS, routesOf } from '../support/route-rights.ts';

const instance = fileInstance();
const stored = z.object({ hash: z.string() });
const SCOPES = ['capture', 'read', 'write'];
const inTeam = { namespace: 'team', project: 'shop' };
const elsewhere = { namespace: 'other', project: 'bank' };
/** Keys of one user: bound to a namespace, bound to a project, unbound. */
const keys = { namespace: '', project: '', unbound: '' };
const memories = { team: '', other: '' };
let userId: string;

const remember = async (place: typeof inTeam, key: string) =>
  instance.post('/memories', { content: `A lighthouse of ${place.namespace}`, ...place }, key);
const found = async (path: string, key: string): Promise<string> => {
  const answer = await instance.get(path, key);
  expect([path, answer.status]).toEqual([path, 200]);
  return JSON.stringify(answer.body);
};

beforeAll(async () => {
  const user = await instance.user();
  ({ userId } = user);
  keys.unbound = user.key;
  memories.team = stored.parse((await remember(inTeam, user.key)).body).hash;
  memories.other = stored.parse((await remember(elsewhere, user.key)).body).hash;
  for (const namespace of ['team', 'other']) {
    const event = noteEvent(`of ${namespace}`, `A harbour of ${namespace}`, { key: 'k', namespace });
    await instance.post('/events', event, user.key);
  }
  const bound = async (body: object) => (await makeKey(instance, { user: userId, ...body })).api_key;
  keys.namespace = await bound({ scopes: SCOPES, namespaces: ['team'] });
  keys.project = await bound({ scopes: ['read', 'write'], projects: ['shop'] });
});

describe.each(['namespace', 'project'] as const)('a key that is bound to a %s', (kind) => {
  test('reads memories, projects and sessions within it, and no others', async () => {
    const key = keys[kind];
    for (const path of ['/learnings', '/search?q=lighthouse', '/search?q=lighthouse&nearest=true']) {
      const text = await found(path, key);
      expect(text).toContain('lighthouse of team');
      expect(text).not.toContain('of other');
      expect(await found(path, keys.unbound)).toContain('of other');
    }
    expect((await instance.get(`/memories/${memories.team}`, key)).status).toBe(200);
    for (const path of [`/memories/${memories.other}`, `/learnings/${memories.other}`])
      expectError(await instance.get(path, key), 'NOT_FOUND');
    expect(await found('/sessions', key)).not.toContain('of other');
    const projects = await found('/projects', key);
    expect([projects.includes('"shop"'), projects.includes('bank')]).toEqual([true, false]);
    expect((await instance.get('/projects/shop', key)).status).toBe(200);
    expectError(await instance.get('/projects/bank', key), 'NOT_FOUND');
    expect(await found('/search?q=harbour', key)).not.toContain('harbour of other');
    expectError(await instance.delete(`/memories/${memories.other}`, key), 'NOT_FOUND');
  });

  test('writes within it, and nothing outside', async () => {
    const key = keys[kind];
    expect((await remember(inTeam, key)).status).toBeLessThan(300);
    expectError(await remember({ ...elsewhere, namespace: 'third' }, key), 'FORBIDDEN');
  });

  test.each(['GET /exports/:id', 'POST /gdpr/erase', 'GET /stats', 'POST /exports'])('does not use %s', (name) => {
    expect(ROUTE_RIGHTS).toHaveProperty([name]);
    const [method = '', url = ''] = name.split(' ');
    expect(isForBoundKeys({ method, url: `/api/v1${url}` })).toBe(false);
  });
});

test('every route is for bound keys or refuses them', async () => {
  let refused = 0;
  for (const route of routesOf(instance)) {
    if (['open', 'scrape', 'capture'].includes(ROUTE_RIGHTS[nameOf(route)] ?? '') || isForBoundKeys(route)) continue;
    const answer = await callRoute(instance, route, keys.namespace);
    expect([nameOf(route), answer.status]).toEqual([nameOf(route), 403]);
    refused += 1;
  }
  expect(refused).toBeGreaterThan(50);
});

test('captures within its namespaces, and into no session of another', async () => {
  const send = (session: string, namespace: string) =>
    instance.post('/events', noteEvent(session, 'A note', { namespace }), keys.namespace);
  expect((await send('new', 'team')).status).toBe(202);
  expectError(await send('newer', 'other'), 'FORBIDDEN');
  expectError(await send('of other', 'team'), 'FORBIDDEN');
  expect(await instance.count("sessions WHERE external_id = 'newer'")).toBe(0);
});

test('names a namespace if it has several, and none that it lacks', async () => {
  const { api_key: key } = await makeKey(instance, { user: userId, namespaces: ['team', 'third'] });
  expectError(await instance.get('/search?q=lighthouse', key), 'FORBIDDEN', 'namespace');
  expectError(await instance.get('/search?q=lighthouse&namespace=other', key), 'FORBIDDEN', 'namespace');
  expect(await found('/search?q=lighthouse&namespace=team', key)).toContain('lighthouse of team');
  expectError(await instance.get('/search/suggest?q=li', key), 'FORBIDDEN', 'namespace');
});

test('keeps its bounds when it is rotated, and rotates and revokes no key without them', async () => {
  const { key, api_key: secret } = await makeKey(instance, { user: userId, namespaces: ['team'], projects: ['shop'] });
  const next = createdIn(rotatedKey, await instance.post(`/auth/api-keys/${key.id}/rotate`, {}, secret));
  expect(next.key).toMatchObject({ namespaces: ['team'], projects: key.projects });
  expect(key.projects).toHaveLength(1);
  const wide = (await makeKey(instance, { user: userId, namespaces: ['team', 'third'] })).key.id;
  for (const answer of [
    await instance.post(`/auth/api-keys/${wide}/rotate`, {}, next.api_key),
    await instance.delete(`/auth/api-keys/${wide}`, next.api_key),
  ])
    expectError(answer, 'FORBIDDEN', 'namespaces');
  expect(bodyOf(pageOfItems(keySchema), await instance.get('/auth/api-keys', secret)).data.length).toBeGreaterThan(1);
});

test.each([
  [{ scopes: ['admin'], namespaces: ['team'] }, 'CONFLICT', 'scopes'],
  [{ scopes: ['capture'], projects: ['shop'] }, 'CONFLICT', 'scopes'],
  [{ scopes: ['read'], projects: ['unknown'] }, 'NOT_FOUND', 'projects.0'],
  [{ scopes: ['read'], namespaces: [''] }, 'VALIDATION_FAILED', 'namespaces.0'],
  [{ scopes: ['read'], namespaces: Array.from({ length: 51 }, (_, n) => `n${n}`) }, 'VALIDATION_FAILED', 'namespaces'],
] as const)('%j is rejected with %s of %s', async (body, code, field) => {
  expectError(await instance.post('/admin/api-keys', { name: 'bound', ...body }), code, field);
});
