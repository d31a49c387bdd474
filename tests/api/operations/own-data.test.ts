import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { runProgram } from '../../cli/support/output.ts';
import type { Ran } from '../../cli/support/output.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { expectError, idIn } from '../support/answers.ts';
import { noteEvent } from '../support/events.ts';

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
  await here.post('/events', noteEvent('veras', 'Vera hides a walrus', { infer: false }), vera.key);
  await here.post('/events', noteEvent('others', 'The other hides a heron', { infer: false }), other.key);
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
  expect((await notesOf('others', other.key)).body).toMatchObject({ data: [{ preview: 'The other hides a heron' }] });
});
