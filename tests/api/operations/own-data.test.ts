import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createdKey } from '../../../contract/access.ts';
import { gdprRequestSchema } from '../../../contract/gdpr.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { isReceiptValid } from '../../../domain/erasure/receipt.ts';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { runProgram } from '../../cli/support/output.ts';
import type { Ran } from '../../cli/support/output.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { scraped } from '../../setup/scraped.ts';
import { untilTrue } from '../../setup/until.ts';
import { bodyOf, expectError, idIn } from '../support/answers.ts';
import { noteEvent } from '../support/events.ts';
import { QUEUES } from '../../../workflows/registry.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const here = fileInstance({
  RECOLLECT_BACKUP_SIGNING_KEY: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
});
const dataDir = longLivedFolder();
const until = '2999-01-01T00:00:00Z';
/** A user with data who is a viewer now, and one who shares the memory. */
let vera: TestUser;
let other: TestUser;
let learning: string;

/** Runs a command with the key of the viewer. */
const run = (...args: string[]): Promise<Ran> => runProgram([...args, '--data-dir', dataDir]);
const notesOf = (session: string, key: string) => here.get(`/sessions/test:${session}/observations`, key);

beforeAll(async () => {
  await here.startWorker();
  vera = await here.user();
  other = await here.user();
  await here.post(
    '/events',
    noteEvent('veras', 'Vera hides a walrus', { infer: false, project: { path: '/home/vera/hidden-walrus' } }),
    vera.key,
  );
  const project = { path: '/src/pier' };
  await here.post('/events', noteEvent('shared', 'Vera walks on the pier', { infer: false, project }), vera.key);
  await here.post('/events', noteEvent('others', 'The other hides a heron', { infer: false, project }), other.key);
  learning = idIn(await here.post('/learnings', { title: 'Walrus', description: 'It likes clams' }, vera.key));
  await here.put(`/admin/users/${vera.userId}`, { role: 'viewer' });
  writeFileAtomic(path.join(dataDir, 'client.json'), JSON.stringify({ url: here.url, api_key: vera.key }));
});

test('a viewer exports, restricts and corrects the own data, and no others', async () => {
  const file = path.join(dataDir, 'mine.ndjson.zst');
  expect(await run('gdpr', 'export', '--out', file)).toMatchObject({ code: 0, text: expect.stringContaining(file) });
  expect(await run('gdpr', 'restrict', '--session', 'test:veras', '--until', '2999-01-01')).toMatchObject({ code: 0 });
  expect((await notesOf('veras', vera.key)).status).toBe(404);
  expect(await run('gdpr', 'lift', '--session', 'test:veras')).toMatchObject({ code: 0 });
  expect((await notesOf('veras', vera.key)).status).toBe(200);
  expect(await run('gdpr', 'restrict', '--until', until)).toMatchObject({ code: 0 });
  expect(await run('gdpr', 'lift')).toMatchObject({ code: 0 });
  expect(await run('gdpr', 'rectify', learning, '--content', 'It likes mussels')).toMatchObject({ code: 0 });
  expect((await here.get(`/memories/${learning}`, vera.key)).body).toMatchObject({ content: 'It likes mussels' });

  const forbidden: readonly (readonly [string, object])[] = [
    ['/gdpr/export', { user: other.userId }],
    ['/gdpr/restrict', { user: other.userId, until }],
    ['/gdpr/erase', { kind: 'user', user: other.userId }],
    ['/gdpr/erase', { kind: 'tenant', name: 'x' }],
  ];
  for (const [route, body] of forbidden) expectError(await here.post(route, body, vera.key), 'FORBIDDEN');
  expectError(await here.post('/gdpr/restrict', { session: 'test:others', until }, vera.key), 'NOT_FOUND');
  expectError(await here.post('/gdpr/erase', { kind: 'session', session: 'test:others' }, vera.key), 'NOT_FOUND');
  // Rights over the own data give no right to write elsewhere.
  expectError(await here.put(`/memories/${learning}`, { title: 'Mine' }, vera.key), 'FORBIDDEN');
});

const withState = z.looseObject({ state: z.string() });
const SECRET = 'the heron nests behind the boathouse';
const requestOf = async (id: string, key: string) =>
  bodyOf(gdprRequestSchema, await here.get(`/gdpr/requests/${id}`, key));
const listOf = async (key: string, query = '') =>
  bodyOf(pageOfItems(gdprRequestSchema), await here.get(`/gdpr/requests?limit=100${query}`, key)).data;

test('each met request has a row with a receipt that verifies; a changed receipt does not', async () => {
  const done = await listOf(vera.key);
  expect(done.map(({ right, kind, state }) => `${right} ${kind} ${state}`).toSorted()).toEqual([
    'export user completed',
    'rectify memory completed',
    'restrict session completed',
    'restrict user completed',
  ]);
  for (const { id, receipt, user, overdue } of done) {
    expect([user, overdue]).toEqual([vera.userId, false]);
    if (receipt === null) throw new Error('no receipt');
    expect(isReceiptValid(receipt)).toBe(true);
    expect(isReceiptValid({ ...receipt, receipt: receipt.receipt.replace(id, vera.userId) })).toBe(false);
    expect(z.looseObject({ id: z.string() }).parse(JSON.parse(receipt.receipt)).id).toBe(id);
    expectError(await here.get(`/gdpr/requests/${id}`, other.key), 'NOT_FOUND');
  }
  const shown = await run('gdpr', 'show', done[0]?.id ?? '', '--out', path.join(dataDir, 'receipt.json'));
  expect(shown).toMatchObject({ code: 0, text: expect.stringContaining(', signed by ') });
  expect(await listOf(other.key)).toEqual([]);
});

test('requests about shared data wait for an admin, by deadline; a decision is made once', async () => {
  const shared = idIn(await here.post('/learnings', { title: 'Heron', description: SECRET }, other.key));
  const correction = { content: `Nothing is known of the heron, token=ghp_${'a1B2'.repeat(9)}` };
  const rectify = await here.post('/gdpr/rectify', { id: shared, correction }, vera.key);
  const erase = await here.post('/gdpr/erase', { kind: 'text', text: SECRET }, vera.key);
  expect([rectify.status, erase.status]).toEqual([202, 202]);
  const [rectifyId, eraseId] = [idIn(rectify), idIn(erase)];
  expect(await requestOf(rectifyId, vera.key)).toMatchObject({
    state: 'waiting',
    details: { correction: { content: expect.stringMatching(/redacted:/) } },
  });
  await here.write("UPDATE gdpr_requests SET due_at = now() - interval '1 hour' WHERE id = $1", [eraseId]);
  const open = (await listOf(here.admin.key, '&open=true')).map(({ id, overdue }) => [id, overdue]);
  expect(open).toEqual([
    [eraseId, true],
    [rectifyId, false],
  ]);
  await scraped(here, /^recollect_gdpr_requests_open\{due="overdue"\} 1$/m);
  await here.temporal.workflow.execute('gdprDeadlines', {
    workflowId: 'ops/gdpr-deadlines/test',
    taskQueue: QUEUES.session,
    workflowExecutionTimeout: '30 s',
    args: [],
  });
  const [alert] = await here.rows('SELECT user_id, details FROM system_alerts WHERE type = $1', ['gdpr_deadline']);
  expect(alert).toMatchObject({ user_id: here.admin.userId, details: { overdue: 1, due_soon: 0 } });

  const extend = (body: object, key = here.admin.key) => here.post(`/gdpr/requests/${rectifyId}/extend`, body, key);
  const before = await requestOf(rectifyId, vera.key);
  expectError(await extend({ days: 61, reason: 'many' }), 'VALIDATION_FAILED', 'days');
  expectError(await extend({ days: 60, reason: 'many' }, vera.key), 'FORBIDDEN');
  const extended = bodyOf(gdprRequestSchema, await extend({ days: 60, reason: 'many requests' }));
  expect(Date.parse(extended.due_at) - Date.parse(before.due_at)).toBe(60 * 86_400_000);
  expectError(await extend({ days: 1, reason: 'again' }), 'CONFLICT');

  const decide = (id: string, body: object, key = here.admin.key) =>
    here.post(`/gdpr/requests/${id}/decide`, body, key);
  expectError(await decide(rectifyId, { decision: 'approve' }, vera.key), 'FORBIDDEN');
  expectError(await decide(rectifyId, { decision: 'decline' }), 'VALIDATION_FAILED', 'reason');
  expect((await decide(rectifyId, { decision: 'approve' })).body).toMatchObject({ state: 'completed', details: null });
  expectError(await decide(rectifyId, { decision: 'decline', reason: 'late' }), 'CONFLICT');
  expect((await here.get(`/memories/${shared}`)).body).toMatchObject({
    content: expect.stringMatching(/^Nothing is known of the heron/),
  });
  expect((await decide(eraseId, { decision: 'approve', reason: 'granted' })).body).toMatchObject({ state: 'running' });
  await untilTrue(async () => (await requestOf(eraseId, vera.key)).state !== 'running', 60_000);
  const erased = await requestOf(eraseId, vera.key);
  expect([erased.state, erased.error]).toEqual(['completed', null]);
  expect(erased.receipt !== null && isReceiptValid(erased.receipt)).toBe(true);
  expect(erased.decision).toMatchObject({ by: here.admin.userId, reason: 'granted' });
  const limit = Array.from({ length: 20 }, () => here.post('/gdpr/erase', { kind: 'text', text: SECRET }, other.key));
  await Promise.all(limit);
  expectError(await here.post('/gdpr/erase', { kind: 'text', text: SECRET }, other.key), 'CONFLICT');
  await here.write("DELETE FROM gdpr_requests WHERE requested_by = $1 AND state = 'waiting'", [other.userId]);
  const declined = idIn(await here.post('/gdpr/erase', { kind: 'text', text: SECRET }, vera.key));
  expect((await decide(declined, { decision: 'decline', reason: 'law' })).body).toMatchObject({ state: 'declined' });
  expect(await here.count('gdpr_requests WHERE body IS NOT NULL')).toBe(0);
});

test('neither the agents of an admin nor a former admin access exports and requests of others, or erase their user', async () => {
  const { userId, key } = await here.user({ role: 'admin' });
  const made = await here.post('/admin/api-keys', { name: 'agent', scopes: ['read', 'write'] }, key);
  const { api_key: agent } = createdKey.parse(made.body);
  const opened = async (address: string, body: object) => {
    const id = idIn(await here.post(address, body, key));
    const read = address === '/gdpr/erase' ? '/gdpr/requests' : '/exports';
    await untilTrue(async () => bodyOf(withState, await here.get(`${read}/${id}`, key)).state === 'completed');
    return id;
  };
  // An erasure deletes every export that existed before it.
  const erasure = await opened('/gdpr/erase', { kind: 'text', text: 'words that nobody ever wrote' });
  const own = await opened('/gdpr/export', {});
  const exports = [
    await opened('/exports', { scope: 'tenant', include_restricted: true }),
    await opened('/exports', { scope: 'tenant' }),
    await opened('/exports', { scope: 'user', include_restricted: true }),
    await opened('/gdpr/export', { user: other.userId }),
  ];
  const denied = async (denies: string) => {
    for (const id of exports) {
      for (const file of ['', '/file']) expectError(await here.get(`/exports/${id}${file}`, denies), 'NOT_FOUND');
      expectError(await here.post(`/jobs/export.${id}/cancel`, undefined, denies), 'FORBIDDEN');
    }
    for (const id of [erasure, exports.at(-1)])
      expectError(await here.get(`/gdpr/requests/${id}`, denies), 'NOT_FOUND');
    expectError(await here.post(`/jobs/erasure.${erasure}/cancel`, undefined, denies), 'FORBIDDEN');
    expect((await listOf(denies)).map(({ id }) => id)).toEqual([own]);
    expect((await here.get(`/exports/${own}/file`, denies)).status).toBe(200);
    expectError(await here.post(`/jobs/export.${own}/cancel`, undefined, denies), 'CONFLICT');
  };
  await denied(agent);
  expectError(await here.post('/gdpr/erase', { kind: 'user', user: userId }, agent), 'FORBIDDEN');
  await here.put(`/admin/users/${userId}`, { role: 'user' });
  await denied(key);
});

test('erasing oneself needs the name, fails under a legal hold, ends the keys, and leaves the data of others', async () => {
  expectError(await here.post('/gdpr/erase', { kind: 'user' }, vera.key), 'VALIDATION_FAILED', 'user');
  expect(await run('erase', 'user')).toMatchObject({ code: 1, errors: expect.stringContaining('recollect whoami') });
  const hold = await here.post('/admin/legal-holds', { subject: 'user', id: vera.userId, reason: 'case 12' });
  expect((await here.post('/gdpr/erase', { kind: 'user', user: vera.userId }, vera.key)).body).toMatchObject({
    code: 'CONFLICT',
    error: expect.stringContaining('legal hold'),
  });
  await here.delete(`/admin/legal-holds/${idIn(hold)}`);
  const last = await here.post('/gdpr/erase', { kind: 'user', user: here.admin.userId });
  expect(last.body).toMatchObject({ code: 'CONFLICT', error: expect.stringContaining('erase the tenant') });

  expect(await run('erase', 'user', vera.userId, '--yes')).toMatchObject({
    code: 0,
    text: expect.stringMatching(/^Erased, including this API key\. The receipt is receipts\//),
  });
  expect((await here.get('/auth/me', vera.key)).status).toBe(401);
  await untilTrue(async () => (await here.count('users WHERE id = $1', [vera.userId])) === 0);
  expect(await here.count('observations WHERE user_id = $1', [vera.userId])).toBe(0);
  expect(await here.count('gdpr_requests WHERE user_id = $1 OR requested_by = $1', [vera.userId])).toBe(0);
  expect(await here.count('gdpr_requests WHERE decision_reason IS NOT NULL OR extension_reason IS NOT NULL')).toBe(0);
  expect((await here.get('/projects', other.key)).body).toMatchObject({ data: [{ display_name: 'pier' }] });
  expect((await notesOf('others', other.key)).body).toMatchObject({ data: [{ preview: 'The other hides a heron' }] });
});
