import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { fingerprintOf } from '../../activities/backup/manifest.ts';
import { signedManifestSchema } from '../../activities/backup/manifest.ts';
import { daysAgo, makeOldSession } from '../activities/retention/support/old-rows.ts';
import { runCli } from '../cli/support/run-cli.ts';
import { startFaultInstance } from '../faults/support/fault-instance.ts';
import type { FaultInstance } from '../faults/support/fault-instance.ts';
import { createTestUser } from '../setup/database.ts';
import type { TestUser } from '../setup/database.ts';
import { settled } from '../setup/demo-session.ts';
import type { ApiAnswer, CallOptions, TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { recordFigure } from './record-figure.ts';

const QUESTIONS = ['rounding of invoices', 'banker rounding money.ts', 'which tests passed'];
const JOB_MS = 240_000;

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-new-machine-'));
const offsite = path.join(folder, 'offsite');
const SETTINGS = {
  RECOLLECT_BACKUP_KEY: randomBytes(32).toString('base64'),
  // Only jobs that the test requests.
  RECOLLECT_SCHEDULES_PAUSED: 'backup,restore-drill,retention,consistency',
};

type Person = Pick<TestUser, 'key'>;

/** Returns the API of an instance that `recollect up` started. */
function apiOf({ credentials }: FaultInstance): Pick<TestInstance, 'call'> {
  return {
    call: async (method: string, route: string, options: CallOptions = {}): Promise<ApiAnswer> => {
      const response = await fetch(`${credentials.url}/api/v1${route}`, {
        method,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        headers: {
          authorization: `Bearer ${options.key ?? credentials.apiKey}`,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
  };
}

/** Returns the same API with a user's key. */
function asPerson(api: Pick<TestInstance, 'call'>, { key }: Person): Pick<TestInstance, 'call'> {
  return { call: (method, route, options) => api.call(method, route, { key, ...options }) };
}

const page = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });
const withId = z.looseObject({ id: z.string() });

/** Returns the ids found by each query; memories of equal score have any order. */
async function answers(person: Pick<TestInstance, 'call'>): Promise<string[][]> {
  const found: string[][] = [];
  for (const question of QUESTIONS) {
    const { body } = await person.call('GET', `/search?q=${encodeURIComponent(question)}&limit=50&nearest=true`);
    found.push(
      page
        .parse(body)
        .data.map(({ id }) => id)
        .toSorted(),
    );
  }
  return found;
}

async function jobDone(api: Pick<TestInstance, 'call'>, route: string): Promise<unknown> {
  const done = await until(async () => {
    const { status, body } = await api.call('GET', route);
    if (status !== 200) return undefined;
    const row = z.looseObject({ state: z.string().optional(), run: z.looseObject({ state: z.string() }).optional() });
    const parsed = row.parse(body);
    const state = parsed.run?.state ?? parsed.state;
    if (state === 'failed') throw new Error(`${route} failed: ${JSON.stringify(body)}`);
    return state === 'completed' ? { body } : undefined;
  }, JOB_MS);
  return done.body;
}

/** Runs a command with the instance's data directory. */
async function recollect(instance: FaultInstance, ...args: readonly string[]) {
  return runCli([...args, '--data-dir', instance.dataDir]).ended;
}

const indexed = (instance: FaultInstance): Promise<true> =>
  until(async () => {
    const waiting = await instance.query(
      "SELECT FROM embeddings WHERE state <> 'indexed' UNION ALL SELECT FROM embedding_removals UNION ALL SELECT FROM sessions WHERE consumed_seq < last_seq",
    );
    return waiting.length === 0 ? true : undefined;
  }, JOB_MS);

let lost: FaultInstance | undefined;
let found: FaultInstance | undefined;

/** State of machine A, for comparison. */
interface Known {
  readonly people: readonly TestUser[];
  readonly revoked: TestUser;
  readonly answers: readonly string[][][];
  readonly hold: string;
  readonly archive: string;
  readonly archivedPrompts: number;
  readonly exported: string;
  readonly signer: string;
  readonly fingerprint: string;
  readonly set: string;
}
let known: Known;

async function archiveOldSession(
  instance: FaultInstance,
  person: Pick<TestInstance, 'call'>,
  user: TestUser,
): Promise<string> {
  await makeOldSession({ write: instance.query }, user, { at: daysAgo(400), rows: 3 });
  await person.call('PUT', '/admin/retention/policies', {
    body: { policies: [{ resource: 'session', age_days: 365, action: 'archive' }] },
  });
  const started = z.looseObject({ run: withId });
  const dry = started.parse((await person.call('POST', '/admin/retention', { body: { dry_run: true } })).body).run.id;
  await jobDone(person, `/admin/retention/runs/${dry}`);
  expect((await person.call('POST', `/admin/retention/runs/${dry}/approve`)).status).toBe(200);
  const run = started.parse((await person.call('POST', '/admin/retention', { body: { dry_run: false } })).body).run.id;
  await jobDone(person, `/admin/retention/runs/${run}`);
  const [archive] = page.parse((await person.call('GET', '/archives')).body).data;
  return archive?.id ?? '';
}

async function erase(person: Pick<TestInstance, 'call'>, session: string): Promise<void> {
  const answer = await person.call('POST', '/gdpr/erase', { body: { kind: 'session', session } });
  await jobDone(person, `/gdpr/requests/${withId.parse(answer.body).id}`);
}

/** Returns the newest backup and the key that signed it. */
async function newestOf(instance: FaultInstance): Promise<{ readonly set: string; readonly publicKey: string }> {
  const { body } = await apiOf(instance).call('GET', '/admin/backups?limit=1');
  const set = page.parse(body).data[0]?.id ?? '';
  const manifest = readFileSync(path.join(offsite, 'sets', set, 'manifest.json'), 'utf8');
  return { set, publicKey: signedManifestSchema.parse(JSON.parse(manifest)).publicKey };
}

beforeAll(async () => {
  const a = await startFaultInstance({ ...SETTINGS, RECOLLECT_BACKUP_COPY_STORE: offsite });
  lost = a;
  const api = apiOf(a);
  const second = await createTestUser(a.query, { role: 'admin' });
  const third = await createTestUser(a.query, { role: 'admin' });
  const viewer = await createTestUser(a.query, { tenantId: second.tenantId, role: 'viewer', scopes: ['read'] });
  const revoked = await createTestUser(a.query, { tenantId: third.tenantId });
  for (const person of [api, asPerson(api, second), asPerson(api, third)]) {
    await captured(person, smallSession('retained'));
    await captured(person, smallSession('erased'));
    await settled(person, 'test:retained');
    await settled(person, 'test:erased');
  }
  const archive = await archiveOldSession(a, asPerson(api, second), second);
  const session = withId.parse((await asPerson(api, second).call('GET', '/sessions/test%3Aretained')).body).id;
  const hold = await asPerson(api, second).call('POST', '/admin/legal-holds', {
    body: { subject: 'session', id: session, reason: 'a case' },
  });
  await a.query('UPDATE api_keys SET revoked_at = now() WHERE user_id = $1', [revoked.userId]);
  const exported = withId.parse(
    (await asPerson(api, third).call('POST', '/exports', { body: { scope: 'tenant' } })).body,
  );
  await jobDone(asPerson(api, third), `/exports/${exported.id}`);
  await indexed(a);
  const backup = await recollect(a, 'backup', '--wait');
  if (backup.exitCode !== 0) throw new Error(`no backup:\n${backup.output}`);
  // After the backup: only the journal beside its copy outlives the machine.
  await erase(asPerson(api, third), 'test:erased');
  await indexed(a);
  const people = [second, third, viewer];
  const { set, publicKey } = await newestOf(a);
  known = {
    people,
    revoked,
    answers: await Promise.all(people.map((person) => answers(asPerson(api, person)))),
    hold: withId.parse(hold.body).id,
    archive,
    archivedPrompts: 3,
    exported: exported.id,
    signer: publicKey,
    fingerprint: fingerprintOf(publicKey),
    set,
  };
  await a.remove();
  lost = undefined;
}, 900_000);

afterAll(async () => {
  await lost?.remove();
  await found?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

test('restores a lost machine on a new one from the off-site copy alone', async () => {
  const b = await startFaultInstance(SETTINGS);
  found = b;
  const api = apiOf(b);
  const from = ['restore', '--from', offsite];
  const refused = await recollect(b, ...from, '--wait');
  expect(refused).toMatchObject({ exitCode: 1, output: expect.stringContaining('BackupUntrusted') });

  const started = performance.now();
  const restored = await recollect(b, ...from, '--signer', known.fingerprint, '--wait');
  recordFigure('new_machine_restore_s', Math.round((performance.now() - started) / 1_000));
  expect(restored.output).toContain(`${known.set} restored in `);
  expect(restored.output).toContain('1 files of archived sessions restored.');
  expect(restored.output).toContain('1 later erasures applied again.');
  expect(restored.output).not.toContain('is damaged');
  expect(restored.exitCode).toBe(0);
  // The same key lists the restore at once.
  const listed = await recollect(b, 'restore', 'list');
  expect(listed.output).toContain(known.set);
  expect(listed.exitCode).toBe(0);

  // B's operator and A's users are unchanged.
  expect((await api.call('GET', '/admin/backups')).status).toBe(200);
  const [second, third, viewer] = known.people.map((person) => asPerson(api, person));
  if (second === undefined || third === undefined || viewer === undefined) throw new Error('expected three users');
  expect((await api.call('GET', '/sessions', { key: known.revoked.key })).status).toBe(401);
  expect((await second.call('GET', '/admin/backups')).status).toBe(403);
  expect((await viewer.call('GET', '/admin/legal-holds')).status).toBe(403);
  await indexed(b);
  expect(await Promise.all([second, third, viewer].map((person) => answers(person)))).toEqual(known.answers);
  expect((await api.call('GET', '/sessions/test%3Aretained')).status).toBe(200);

  // Export files expire and are not part of a backup.
  expect((await third.call('GET', `/exports/${known.exported}`)).body).toMatchObject({ state: 'expired' });
  // Data erased after the backup is still missing; legal holds apply.
  expect((await third.call('GET', '/sessions/test%3Aerased')).status).toBe(404);
  expect((await second.call('GET', '/sessions/test%3Aerased')).status).toBe(200);
  expect(JSON.stringify((await second.call('GET', '/admin/legal-holds')).body)).toContain(known.hold);
  expect(await second.call('DELETE', '/sessions/test%3Aretained')).toMatchObject({
    status: 409,
    body: { code: 'LEGAL_HOLD' },
  });

  // B is an instance like any other.
  for (const args of [
    ['backup', '--wait'],
    ['drill', '--wait'],
  ])
    expect(await recollect(b, ...args)).toMatchObject({ exitCode: 0 });
  const again = await recollect(b, ...from, '--signer', known.fingerprint, '--wait');
  expect(again).toMatchObject({ exitCode: 1, output: expect.stringContaining('--overwrite') });
}, 900_000);

test('brings archived sessions back from the off-site copy', async () => {
  if (found === undefined) throw new Error('nothing was restored');
  const [second] = known.people.map((person) => asPerson(apiOf(found as FaultInstance), person));
  const answer = await second?.call('POST', `/archives/${known.archive}/restore`);
  expect(answer?.status).toBe(202);
  const { session_id } = z.object({ archive: z.looseObject({ session_id: z.string() }) }).parse(answer?.body).archive;
  await until(async () => {
    // By the session's id: the restored archive is deleted.
    const [row] = await (found as FaultInstance).query<{ n: number }>(
      'SELECT count(*)::integer AS n FROM prompts WHERE session_id = $1',
      [session_id],
    );
    return row?.n === known.archivedPrompts ? true : undefined;
  }, 60_000);
}, 120_000);
