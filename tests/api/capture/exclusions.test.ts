import { expect, test } from 'vitest';
import { Exclusions } from '../../../api/intake/exclusions.ts';
import { createServer } from '../../../api/server.ts';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { parseConfig } from '../../../config/config.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { PLAIN_HOST_EVENT } from '../../setup/host-event.ts';
import { until } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance({ RECOLLECT_CAPTURE_EXCLUDE: ' ~/vault , /srv/*/secret/**' });

const rows = () =>
  instance.value<number>(
    'SELECT (SELECT count(*) FROM prompts)::integer + (SELECT count(*) FROM sessions)::integer AS value',
  );

const event = (path: string | null, session = 's1', content = 'hello') =>
  promptEvent(session, content, path === null ? {} : { project: { path } });

/** Runs another api process on the same database; `send` returns the status of one event. */
async function withOtherApi(use: (send: (body: unknown) => Promise<number>) => Promise<void>): Promise<void> {
  const logger = createLogger('test', 'error');
  const dependencies = createApiDependencies(parseConfig(instance.environment), logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  try {
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    await use(async (body) => {
      const response = await fetch(`${url}/api/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    });
  } finally {
    await server.close();
    await dependencies.close();
  }
}

test('events in an excluded folder of the instance are rejected, and hooks get an empty response', async () => {
  const before = await rows();
  expectError(await instance.post('/events', event('/home/me/vault/keys')), 'FOLDER_EXCLUDED');
  const hook = await instance.post('/hooks/UserPromptSubmit', {
    session_id: 'hook-1',
    cwd: '/srv/bank/secret',
    prompt: 'a secret',
  });
  expect([hook.status, hook.body]).toEqual([200, {}]);
  const start = await instance.post('/hooks/SessionStart', { session_id: 'hook-1', cwd: '/srv/bank/secret/x' });
  expect([start.status, start.body]).toEqual([200, {}]);
  expect(await rows()).toBe(before);
});

test('neighbours of an excluded event are stored, each answered in its place', async () => {
  const body = [event('/src/a', 'n1', 'one'), event('/home/me/vault', 'n2', 'two'), event('/src/b', 'n3', 'three')];
  const answer = await instance.post('/events/batch', body);
  expect(answer.body).toMatchObject({
    accepted: 2,
    rejected: 1,
    items: [
      { index: 0, status: 'accepted' },
      { index: 1, status: 'rejected', code: 'FOLDER_EXCLUDED', id: null },
      { index: 2, status: 'accepted' },
    ],
  });
  const lines = await instance.call('POST', '/events/batch', {
    raw: body.map((one) => JSON.stringify({ ...one, content: `${one.content} again` })).join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect(String(lines.body).trim().split('\n').at(-1)).toBe('{"accepted":2,"duplicates":0,"rejected":1}');
});

test('an event without a folder uses the last folder of its session', async () => {
  await instance.post('/events', event('/home/me/vault', 'moving'));
  expectError(await instance.post('/events', event(null, 'moving', 'still there')), 'FOLDER_EXCLUDED');
  expect((await instance.post('/events', event('/src/out', 'moving', 'out'))).status).toBe(202);
  expect((await instance.post('/events', event(null, 'moving', 'still out'))).status).toBe(202);
});

test('a session that started in an excluded folder remains excluded after a restart, until it reports another folder', async () => {
  await instance.post('/events', event('/home/me/vault', 'restarted'));
  await withOtherApi(async (send) => {
    const before = await rows();
    expect(await send(event(null, 'restarted', 'still there'))).toBe(422);
    expect(await rows()).toBe(before);
    expect(await send(event('/src/out', 'restarted', 'out'))).toBe(202);
    expect(await send(event(null, 'restarted', 'still out'))).toBe(202);
  });
  const remembered = await instance.rows(
    "SELECT tenant_id FROM excluded_sessions WHERE name_sha256 = sha256(convert_to('test', 'UTF8') || '\\x00'::bytea || convert_to('restarted', 'UTF8'))",
  );
  expect(remembered).toEqual([]);
});

test('every api process follows a session into an excluded folder and out again', async () => {
  const sendHere = async (path: string | null) =>
    (await instance.post('/events', event(path, 'two-processes', String(performance.now())))).status;
  await withOtherApi(async (send) => {
    const sendThere = (path: string | null) => send(event(path, 'two-processes', String(performance.now())));
    expect(await sendHere('/src')).toBe(202);
    expect(await sendThere('/home/me/vault')).toBe(422);
    await until(async () => ((await sendHere(null)) === 422 ? true : undefined));
    expect(await sendThere('/src')).toBe(202);
    await until(async () => ((await sendHere(null)) === 202 ? true : undefined));
  });
});

test('an admin sets the list of the own tenant alone; it takes effect within seconds', async () => {
  const stranger = await instance.stranger({ role: 'admin' });
  const user = await instance.user();
  expect((await instance.get('/admin/settings')).body).toEqual({
    data: [
      { key: 'capture.exclude', scope: 'tenant', value: [], updated_at: null },
      { key: 'learnings.visibility', scope: 'tenant', value: 'shared', updated_at: null },
    ],
  });
  const put = (value: unknown, key?: string) => instance.put('/admin/settings/capture.exclude', { value }, key);
  expect((await put(['/src/private/**'])).body).toMatchObject({
    value: ['/src/private/**'],
    updated_at: expect.any(String),
  });
  await until(async () => {
    const answer = await instance.post('/events', event('/src/private/x', 'mine', String(performance.now())));
    return answer.status === 422 ? true : undefined;
  });
  expect((await instance.post('/events', event('/src/private/x'), stranger.key)).status).toBe(202);
  expect((await instance.get('/admin/settings', stranger.key)).body).toMatchObject({ data: [{ value: [] }, {}] });
  expectError(await put(['/x'], user.key), 'FORBIDDEN');
  for (const [value, field] of [
    [['**'], 'value.0'],
    [['/ok', '/*/'], 'value.1'],
    [['x'.repeat(513)], 'value.0'],
    [Array.from({ length: 101 }, () => '/x'), 'value'],
    ['/x', 'value'],
  ] as const)
    expectError(await put(value), 'VALIDATION_FAILED', field);
  expectError(await instance.put('/admin/settings/other', { value: [] }), 'NOT_FOUND');
});

test('a list is read once in five seconds, however many events come, and answered without waiting meanwhile', async () => {
  let now = 0;
  let loads = 0;
  let globs = ['/a'];
  const exclusions = new Exclusions({
    globs: [],
    now: () => now,
    load: async () => {
      loads += 1;
      return globs;
    },
    memory: {
      read: async (_tenant, sessions) => sessions.map(() => false),
      write: () => Promise.resolve(),
      version: () => 0,
    },
  });
  const tenant = newId<TenantId>();
  const at = async (path: string) => {
    const { excludes, folders } = await exclusions.of(tenant);
    const [isExcluded] =
      excludes === null ? [] : await folders.check(newId(), [{ ...PLAIN_HOST_EVENT, project: { path } }], excludes);
    return isExcluded;
  };
  expect(await Promise.all([at('/a'), at('/a/b'), at('/b')])).toEqual([true, true, false]);
  now = 4_999;
  expect(exclusions.of(tenant)).not.toBeInstanceOf(Promise);
  expect(loads).toBe(1);
  globs = ['/b'];
  now = 5_001;
  expect([await at('/a'), await at('/b')]).toEqual([false, true]);
  expect(loads).toBe(2);
});
