import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import { acceptedInvite, createdKey, invitedAnswer } from '../../../contract/access.ts';
import { connected } from '../../../stores/postgres/connection/connected.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { WITHIN_CACHE_TIME, makeKey } from '../support/access.ts';

const instance = fileInstance();
const LISTENING = "application_name = 'recollect-api-access' AND datname = current_database()";

/** A second process of the api. */
let dependencies: ApiDependencies;
let url: string;
let close: () => Promise<void>;
let lines = '';

const send = (key: string | null, path = '/auth/me', body?: unknown) =>
  fetch(`${url}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const statusThere = async (key: string) => (await send(key)).status;

beforeAll(async () => {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines += String(chunk);
      done();
    },
  });
  const logger = pino({ level: 'trace' }, sink);
  dependencies = createApiDependencies(instance.config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
  close = () => server.close();
  await until(async () => (dependencies.notifications.isListening ? true : undefined));
});
afterAll(async () => {
  await close();
  await dependencies.close();
});

describe('another process of the api rejects a known key before its cache ends', () => {
  test('after it was revoked', async () => {
    const { key, api_key: secret } = await makeKey(instance);
    expect(await statusThere(secret)).toBe(200);
    await instance.delete(`/admin/api-keys/${key.id}`);
    await expect.poll(() => statusThere(secret), WITHIN_CACHE_TIME).toBe(401);
  });

  test('after its user was deactivated', async () => {
    const { userId, key } = await instance.user();
    expect(await statusThere(key)).toBe(200);
    await instance.put(`/admin/users/${userId}`, { active: false });
    await expect.poll(() => statusThere(key), WITHIN_CACHE_TIME).toBe(401);
  });

  test('after its tenant was suspended', async () => {
    const { tenantId, key } = await instance.stranger();
    expect(await statusThere(key)).toBe(200);
    await instance.put(`/admin/tenants/${tenantId}`, { suspended: true });
    await expect.poll(() => statusThere(key), WITHIN_CACHE_TIME).toBe(401);
  });

  test('that was revoked while the process did not listen', async () => {
    const { key, api_key: secret } = await makeKey(instance);
    expect(await statusThere(secret)).toBe(200);
    await instance.db.superuser.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${LISTENING}`);
    await instance.write('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [key.id]);
    await expect.poll(() => statusThere(secret), WITHIN_CACHE_TIME).toBe(401);
    await expect.poll(() => dependencies.notifications.isListening).toBe(true);
    expect(lines).toContain('changes of access do not arrive');
  });

  test('after the process listens again', async () => {
    const { key, api_key: secret } = await makeKey(instance);
    expect(await statusThere(secret)).toBe(200);
    await instance.delete(`/admin/api-keys/${key.id}`);
    await expect.poll(() => statusThere(secret), WITHIN_CACHE_TIME).toBe(401);
  });
});

test('the process that changed access applies it to the next request, before its own notification', async () => {
  const { key, api_key: secret } = await makeKey(instance);
  expect(await statusThere(secret)).toBe(200);
  const { rows: listening } = await instance.db.superuser.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE ${LISTENING}`,
  );
  expect(listening.length).toBeGreaterThan(0);
  for (const { pid } of listening) process.kill(pid, 'SIGSTOP');
  try {
    const ended = await fetch(`${url}/api/v1/admin/api-keys/${key.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${instance.admin.key}` },
    });
    expect([ended.status, await statusThere(secret)]).toEqual([200, 401]);
  } finally {
    for (const { pid } of listening) process.kill(pid, 'SIGCONT');
  }
});

test('believes a key that expires no longer than until its end', async () => {
  // On a busy machine a key may end before its first use: another one is made.
  const secret = await until(async () => {
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    const { api_key: made } = await makeKey(instance, { expires_at });
    return (await statusThere(made)) === 200 ? made : undefined;
  });
  await expect.poll(() => statusThere(secret), WITHIN_CACHE_TIME).toBe(401);
});

test('usage of tokens and of keys notifies no process', async () => {
  const { userId } = await instance.user();
  await connected({ connectionString: instance.db.url('app') }, async (client) => {
    let notified = 0;
    client.on('notification', () => (notified += 1));
    await client.query('LISTEN access_changed');
    await instance.write('UPDATE users SET tokens_used_today = 5, tokens_used_on = now() WHERE id = $1', [userId]);
    await instance.write('UPDATE api_keys SET last_used_at = now() WHERE user_id = $1', [userId]);
    await instance.write("UPDATE tenants SET limits = '{}'");
    // Notifications arrive in the order of commits.
    await instance.write('UPDATE users SET active = false WHERE id = $1', [userId]);
    await expect.poll(() => notified).toBe(1);
  });
});

test('keys and tokens are in no log', async () => {
  const added = await send(instance.admin.key, '/admin/users', { username: 'logged', role: 'user' });
  const { invite } = invitedAnswer.parse(await added.json());
  const accepted = await send(null, '/auth/invites/accept', { token: invite.token });
  const keys = acceptedInvite.parse(await accepted.json());
  const made = createdKey.parse(
    await (await send(instance.admin.key, '/admin/api-keys', { name: 'logged', scopes: ['read'] })).json(),
  );
  await send(null, '/auth/invites/accept', { token: invite.token });
  expect(lines).toContain('/api/v1/auth/invites/accept');
  for (const secret of [invite.token, keys.api_key, keys.agent_api_key, made.api_key, instance.admin.key])
    expect(lines).not.toContain(secret.slice(4));
});

test('closes while the connection that listens is being opened', async () => {
  const other = createApiDependencies(instance.config, pino({ level: 'silent' }));
  other.notifications.start();
  await other.close();
  expect(other.notifications.isListening).toBe(false);
});
