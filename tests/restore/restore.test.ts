import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  fingerprintOf,
  manifestSchema,
  signedManifestSchema,
  publicKeyOf,
  signManifest,
} from '../../activities/backup/manifest.ts';
import { journalObject } from '../../stores/archive/journal-entry.ts';
import { captureAnswerSchema } from '../../contract/events.ts';
import { newId } from '../../domain/ids.ts';
import { erasedName, journalKey } from '../../domain/erasure/erasure-journal.ts';
import { startOptions } from '../../stores/temporal/start-workflow.ts';
import type { TestUser } from '../setup/database.ts';
import { settled } from '../setup/demo-session.ts';
import { startFailingProxy } from '../setup/failing-proxy.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { runProgram, writeCredentials } from '../cli/support/output.ts';
import type { Ran } from '../cli/support/output.ts';
import { runCli } from '../cli/support/run-cli.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import {
  ended,
  requested,
  backedUp,
  found,
  databases,
  insideUntilClosed,
  atRest,
  watched,
  dropReplaced,
  restoreAnswer,
} from './support/restores.ts';
import type { Restore } from './support/restores.ts';

const newKey = (): Buffer => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const signingKey = newKey();
const encryptionKey = randomBytes(32);

let folder: string;
let instance: TestInstance;
let set: string;
/** Ids of a learning and of the prompt that it quotes. */
let remembered: Readonly<Record<'learning' | 'prompt', string>>;
/** People of two tenants, as of the backup. */
const people: Record<'admin' | 'revoked' | 'demoted' | 'inactive', TestUser>[] = [];
/** Ids that a search returned at the time of the backup. */
let foundThen: readonly string[];

const storeOf = (name: string): string => path.join(folder, name);

/** Types a command on the machine of the instance. */
const run = (...args: string[]): Promise<Ran> =>
  runProgram([...args, '--data-dir', storeOf('data')], null, instance.environment);

/** Returns the newest restore or drill. */
async function newestRestore(): Promise<Restore> {
  const { body } = await instance.call('GET', '/admin/restores?limit=1');
  return z.object({ data: z.tuple([restoreAnswer]) }).parse(body).data[0];
}

/** Erases a session; returns the request's row. */
async function erasedSession(session: string): Promise<unknown> {
  const { body } = await instance.call('POST', '/gdpr/erase', { body: { kind: 'session', session } });
  const { id } = z.looseObject({ id: z.string() }).parse(body);
  const row = await until(async () => {
    const row = z.looseObject({ state: z.string() }).parse((await instance.call('GET', `/gdpr/requests/${id}`)).body);
    return row.state === 'running' ? undefined : row;
  });
  expect(row).toMatchObject({ id, state: 'completed', receipt: expect.anything() });
  return row;
}

/** Captures a prompt, and a learning that quotes it. */
async function learnedFrom(content: string): Promise<typeof remembered> {
  const event = { type: 'prompt', host: 'test', session_id: 'learned', content };
  const captured = await instance.call('POST', '/events', { body: event });
  const [item] = captureAnswerSchema.parse(captured.body).items;
  const prompt = item?.id ?? '';
  const body = { title: 'Cents', description: content, evidence: [{ row_id: prompt, quote: content }] };
  const { id } = z.looseObject({ id: z.string() }).parse((await instance.call('POST', '/learnings', { body })).body);
  return { learning: id, prompt };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recollect-restore-'));
  instance = await startTestInstance({
    RECOLLECT_BACKUP_STORE: storeOf('store'),
    RECOLLECT_BACKUP_SIGNING_KEY: signingKey.toString('base64'),
    RECOLLECT_BACKUP_KEY: encryptionKey.toString('base64'),
  });
  await instance.startWorker();
  writeCredentials(storeOf('data'), instance);
  await captured(instance, smallSession('intact'));
  await captured(instance, smallSession('live').slice(0, -2));
  await captured(instance, smallSession('erased'));
  await settled(instance, 'test:intact');
  await settled(instance, 'test:erased');
  remembered = await learnedFrom('The okapi ledger counts integer cents');
  const second = await instance.stranger({ role: 'admin' });
  for (const admin of [instance.admin, second]) {
    const { tenantId } = admin;
    const [revoked, demoted, inactive] = await Promise.all(
      (['user', 'admin', 'user'] as const).map((role) => instance.db.createUser({ tenantId, role })),
    );
    if (revoked === undefined || demoted === undefined || inactive === undefined) throw new Error('three people');
    people.push({ admin, revoked, demoted, inactive });
  }
  await atRest(instance);
  set = await backedUp(instance);
  foundThen = await found(instance);
}, 240_000);

/** Rows of the admin's audit log, in order. */
const auditedRequests = () =>
  instance.rows<{ action: string; hash: string }>(
    "SELECT action, encode(hash, 'hex') AS hash FROM audit_log WHERE tenant_id = $1 ORDER BY seq",
    [instance.admin.tenantId],
  );

/** Tests are independent. */
afterEach(() => dropReplaced(instance));

afterAll(async () => {
  await instance.close();
  await rm(folder, { recursive: true, force: true });
});

const sessionId = async (of: TestInstance, name: string): Promise<string | null> => {
  const rows = await of.rows<{ id: string }>('SELECT id FROM sessions WHERE external_id = $1', [name]);
  return rows[0]?.id ?? null;
};

/** A store with the same set, in which one file was changed. */
async function changedStore(name: string, file: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  const store = storeOf(name);
  await cp(storeOf('store'), store, { recursive: true });
  const changed = path.join(store, 'sets', set, file);
  await writeFile(changed, change(await readFile(changed)));
  return store;
}

const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy.writeUInt8(copy.readUInt8(middle) ^ 1, middle);
  return copy;
};

/** The manifest with something else in it, signed by that key. */
function resigned(change: (manifest: z.output<typeof manifestSchema>) => object, key: Buffer) {
  return (bytes: Buffer): Buffer => {
    const { manifest } = signedManifestSchema.parse(JSON.parse(bytes.toString('utf8')));
    const parsed = manifestSchema.parse(JSON.parse(manifest));
    return Buffer.from(signManifest(manifestSchema.parse({ ...parsed, ...change(parsed) }), key));
  };
}

describe('a drill', { timeout: 300_000 }, () => {
  test('restores the newest backup beside the instance, verifies it, and leaves only its result', async () => {
    const drill = await requested(instance, 'drill', {});
    expect(drill).toMatchObject({
      state: 'completed',
      kind: 'drill',
      backup_id: set,
      result: {
        tables: { different: [] },
        foreign_keys: { invalid: 0 },
        queries: { different: 0 },
        vectors: { pending: 0, unproved: 0 },
      },
    });
    expect(drill.result).toMatchObject({ queries: { asked: expect.any(Number) } });
    expect(await databases(instance, '_restore_')).toEqual([]);
    const { body } = await instance.call('GET', `/admin/backups/${set}`);
    expect(body).toMatchObject({ verified_how: 'drill' });
    const weaviate = await fetch(new URL('/v1/schema', instance.config.weaviate.url), {
      headers: { authorization: `Bearer ${instance.config.weaviate.apiKey}` },
    });
    expect(await weaviate.text()).not.toContain('RecollectDrill');
  });

  test('with --wait shows its phase, and how to go on after the api stopped answering', async () => {
    const proxy = await startFailingProxy(instance.url, Infinity);
    writeCredentials(storeOf('behind-proxy'), { ...instance, url: proxy.url });
    const command = runCli(['drill', '--wait', '--data-dir', storeOf('behind-proxy')]);
    await command.shows('. drill: ');
    await proxy.close();
    const { id } = await newestRestore();
    const { exitCode, output } = await command.ended;
    expect(output).toMatch(
      new RegExp(
        `\\. drill: [a-z]+.*\\nThe drill ${id} continues after the next recollect up\\.\\n.*Start it with recollect up;.*\\n$`,
      ),
    );
    expect(exitCode).toBe(3);
    expect(await ended(instance, id)).toMatchObject({ state: 'completed' });
  });

  test('of a changed backup fails and alerts the operators', async () => {
    const store = await changedStore('flipped', 'tables/observations/1.copy.zst', flipped).catch(async () => {
      const files = await readdir(path.join(storeOf('store'), 'sets', set, 'tables', 'observations'));
      return changedStore('flipped', `tables/observations/${files[0] ?? ''}`, flipped);
    });
    expect(await requested(instance, 'drill', { store })).toMatchObject({
      state: 'failed',
      error: 'BackupCorrupted',
      message: expect.stringContaining('tables/observations/'),
    });
    expect(await databases(instance, '_restore_')).toEqual([]);
    const rows = await instance.rows("SELECT DISTINCT details FROM system_alerts WHERE type = 'restore_drill_failed'");
    expect(rows).toMatchObject([{ details: { error: 'BackupCorrupted' } }]);
  });

  test('fails if the fixed queries have other results, unless the backup has other functions', async () => {
    const otherResults = (functions?: string) =>
      resigned(({ queries, ...manifest }) => {
        expect(queries.length).toBeGreaterThan(0);
        return {
          functions: functions ?? manifest.functions,
          queries: queries.map((query) => ({ ...query, found: [newId()] })),
        };
      }, signingKey);
    const alike = await changedStore('alike', 'manifest.json', otherResults());
    expect(await requested(instance, 'drill', { store: alike })).toMatchObject({
      state: 'failed',
      error: 'RestoreVerificationFailed',
    });
    const older = await changedStore('older', 'manifest.json', otherResults('0'.repeat(64)));
    const drill = await requested(instance, 'drill', { store: older });
    expect(drill).toMatchObject({ state: 'completed', result: { queries: { different: expect.any(Number) } } });
    expect(drill).not.toMatchObject({ result: { queries: { different: 0 } } });
  });
});

describe('a backup is rejected', { timeout: 300_000 }, () => {
  test('rejects a store or a signer that the settings do not name, from every key and role of the api', async () => {
    for (const route of ['/admin/restore', '/admin/drill'])
      for (const body of [
        { store: storeOf('store') },
        { store: 's3://hostile/sets' },
        { store: 'file:///etc' },
        { store: 'http://169.254.169.254/' },
        { address: storeOf('store') },
        { backup_id: set, signer: fingerprintOf(publicKeyOf(signingKey)) },
        { backup_id: set, signer: 'copy' },
      ])
        expect(await instance.call('POST', route, { body })).toMatchObject({ status: 422 });
    const { tenantId } = instance.admin;
    for (const [address, signer] of [
      [storeOf('store'), null],
      [null, 'a'.repeat(16)],
      ['copy', 'a'.repeat(16)],
    ] as const)
      await expect(
        instance.db.database.asTenant(tenantId, (transaction) =>
          transaction.restore.create({ data: { id: newId(), kind: 'restore', store: address, signer } }),
        ),
      ).rejects.toThrow('row-level security');
    expect(await requested(instance, 'restore', { backup_id: set, store: 'copy', dry_run: true })).toMatchObject({
      error: 'NotConfigured',
    });
  });

  test('with a changed manifest, an untrusted signer or an unknown schema', async () => {
    const changed = await changedStore('manifest', 'manifest.json', flipped);
    expect(await requested(instance, 'restore', { store: changed, dry_run: true })).toMatchObject({
      error: 'BackupCorrupted',
    });
    const stranger = await changedStore(
      'stranger',
      'manifest.json',
      resigned(() => ({}), newKey()),
    );
    const manifest = await readFile(path.join(stranger, 'sets', set, 'manifest.json'), 'utf8');
    const signer = fingerprintOf(signedManifestSchema.parse(JSON.parse(manifest)).publicKey);
    expect(await run('restore', '--from', stranger, '--dry-run', '--wait')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(
        new RegExp(` BackupUntrusted: the backup is signed by ${signer}, which is not trusted: .*--signer ${signer}`),
      ),
    });
    expect(await run('restore', '--from', stranger, '--signer', signer, '--dry-run', '--wait')).toMatchObject({
      code: 0,
      text: expect.stringContaining('can be restored: all files verified.'),
    });
    const newer = await changedStore(
      'newer',
      'manifest.json',
      resigned(({ migrations }) => ({ migrations: [...migrations, '9999_later'] }), signingKey),
    );
    expect(await requested(instance, 'restore', { store: newer, dry_run: true })).toMatchObject({
      error: 'BackupVersionUnsupported',
      message: expect.stringContaining('9999_later'),
    });
    const unknown = '01890000-0000-7000-8000-000000000000';
    expect(await requested(instance, 'restore', { backup_id: unknown, overwrite: true })).toMatchObject({
      error: 'BackupMissing',
    });
    const local = ['--from', storeOf('store')];
    for (const [name, ...args] of [
      ['nosuch', 'restore', 'nosuch'],
      ['nosuch', 'restore', 'nosuch', ...local],
      ['nosuch', 'drill', '--backup', 'nosuch'],
      ['nosuch', 'backup', 'verify', 'nosuch'],
      [unknown, 'restore', unknown, '--overwrite', '--wait'],
    ])
      expect(await run(...args)).toMatchObject({
        code: 1,
        errors: `No backup ${name}. recollect backup list shows them.\n`,
      });
  });

  test('at the request without overwrite if the instance has memories, but its dry run is accepted', async () => {
    const before = await newestRestore();
    expect(await instance.call('POST', '/admin/restore', { body: { backup_id: set } })).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT', error: expect.stringContaining('overwrite') },
    });
    for (const from of [[], ['--wait'], ['--from', storeOf('store')]])
      expect(await run('restore', set, ...from)).toMatchObject({
        code: 1,
        text: '',
        errors: expect.stringMatching(/^This instance has sessions or learnings: --overwrite replaces them/i),
      });
    expect(await newestRestore()).toEqual(before);
    expect(await requested(instance, 'restore', { backup_id: set, dry_run: true })).toMatchObject({
      state: 'completed',
      error: null,
    });
    expect(await databases(instance, '_restore_')).toEqual([]);
  });
});

describe('a restore', { timeout: 300_000 }, () => {
  test('does nothing if its start was reported as failed, though its workflow runs', async () => {
    const id = newId();
    await instance.write(
      "INSERT INTO restores (id, kind, dry_run, state, finished_at) VALUES ($1, 'restore', true, 'failed', now())",
      [id],
    );
    const options = startOptions('restoreRun', instance.admin.tenantId, id, { restoreId: id });
    await expect(instance.temporal.workflow.execute('restoreRun', options)).rejects.toMatchObject({
      cause: { cause: { type: 'RestoreRefused', message: 'the restore has ended' } },
    });
  });

  test('restores the instance to the backup; live sessions continue, and search results are the same', async () => {
    const erasure = await erasedSession('test:erased');
    const queued = newId();
    await instance.write(
      "INSERT INTO erasures (id, tenant_id, requested_by, kind, search_text) VALUES ($1, $2, $3, 'text', 'half a secret')",
      [queued, instance.admin.tenantId, instance.admin.userId],
    );
    await instance.write(
      "INSERT INTO gdpr_requests (id, tenant_id, user_id, requested_by, right_name, kind, state, due_at) VALUES ($1, $2, $3, $3, 'erase', 'text', 'running', now())",
      [queued, instance.admin.tenantId, instance.admin.userId],
    );
    // As after losing the running database: only the journal records the erasure.
    await instance.write('DELETE FROM tombstones');
    const forgotten = `/memories/${remembered.learning}?with_sources=true`;
    expect(await instance.call('DELETE', forgotten)).toMatchObject({ status: 200 });
    const before = await found(instance);
    expect(before.length).toBeGreaterThan(5);
    expect(before.length).toBeLessThan(foundThen.length);
    expect(foundThen).toEqual(expect.arrayContaining([...before]));
    await captured(instance, smallSession('later').slice(0, 2));
    expect((await instance.post('/memories', { content: 'Wombats round half even' })).status).toBe(201);
    const audited = await auditedRequests();
    const [ran] = await Promise.all([run('restore', set, '--overwrite', '--wait'), insideUntilClosed(instance)]);
    const restored = await newestRestore();
    expect(restored).toMatchObject({
      state: 'completed',
      error: null,
      result: { vectors: { pending: 0, unproved: 0 } },
    });
    expect(await sessionId(instance, 'later')).toBeNull();
    // What happened since the backup remains in the audit log, and its chain continues.
    const auditedNow = await auditedRequests();
    expect(auditedNow.slice(0, audited.length)).toEqual(audited);
    expect(auditedNow.slice(audited.length)).toEqual(
      expect.arrayContaining([expect.objectContaining({ action: 'POST /admin/restore' })]),
    );
    expect((await instance.call('POST', '/admin/audit-log/verify')).body).toMatchObject({ ok: true });
    for (const id of Object.values(remembered))
      expect(await instance.call('GET', `/memories/${id}`)).toMatchObject({ status: 404 });
    const { body: okapis } = await instance.call('GET', '/search?q=okapi+ledger');
    expect(JSON.stringify(okapis)).not.toContain('okapi');
    const erasedRows = await instance.rows(
      `SELECT s.status, s.title, (SELECT count(*)::integer FROM prompts p WHERE p.session_id = s.id) + (SELECT count(*)::integer FROM observations o WHERE o.session_id = s.id)
         + (SELECT count(*)::integer FROM summaries m WHERE m.session_id = s.id) AS rows FROM sessions s WHERE s.external_id = 'erased'`,
    );
    expect(erasedRows).toEqual([{ status: 'deleted', title: null, rows: 0 }]);
    const [again] = smallSession('erased');
    // Users see the result of their erasure, or that it must be requested again.
    expect(
      (await instance.call('GET', `/gdpr/requests/${z.looseObject({ id: z.string() }).parse(erasure).id}`)).body,
    ).toEqual(erasure);
    expect(await instance.call('GET', `/gdpr/requests/${queued}`)).toMatchObject({
      body: { state: 'failed', error: 'Restored' },
    });
    const needles = await instance.rows('SELECT search_text FROM erasures WHERE search_text IS NOT NULL');
    expect(needles).toEqual([]);
    expect((await instance.call('POST', '/events', { body: again })).body).toMatchObject({ code: 'SESSION_DELETED' });
    expect(await found(instance)).toEqual(before);
    await captured(instance, [
      {
        host: 'test',
        session_id: 'live',
        project: { path: '/src/small' },
        type: 'prompt',
        content: 'And now the invoices of May',
        key: 'live-more',
      },
    ]);
    await until(async () => {
      const rows = await instance.rows<{ done: boolean }>(
        "SELECT last_seq = consumed_seq AND last_seq > 6 AS done FROM sessions WHERE external_id = 'live'",
      );
      return rows[0]?.done === true ? true : undefined;
    });
    const [replaced] = await databases(instance, '_replaced_');
    expect(restored.result).toMatchObject({ replaced });
    expect(ran).toMatchObject({ code: 0, errors: '' });
    expect(ran.text).toMatch(/^\. restore: [a-z]+/);
    expect(ran.text).toContain(
      `The replaced database remains as ${replaced ?? ''}. Only it contains what was added since the backup (2 prompts, observations and learnings).\n`,
    );
    const old = new pg.Client({ connectionString: instance.db.url('superuser').replace(/[^/]*$/, replaced ?? '') });
    await old.connect();
    expect((await old.query("SELECT FROM sessions WHERE external_id = 'later'")).rowCount).toBe(1);
    await old.end();
    for (const [days, left] of [
      [6, [replaced]],
      [8, []],
    ] as const) {
      await instance.write(
        "UPDATE restores SET finished_at = now() - make_interval(days => $1) WHERE result ? 'replaced'",
        [days],
      );
      expect(await requested(instance, 'restore', { backup_id: set, dry_run: true })).toMatchObject({
        state: 'completed',
      });
      expect(await databases(instance, '_replaced_')).toEqual(left);
    }
  });

  test('retains current access in every tenant: revocations, demotions, exclusions and settings', async () => {
    const second = people[1];
    const excluded = JSON.stringify(['~/secret/**']);
    for (const { admin, revoked, demoted, inactive } of people) {
      await instance.write('UPDATE api_keys SET revoked_at = now() WHERE user_id = $1', [revoked.userId]);
      await instance.write("UPDATE users SET role = 'viewer' WHERE id = $1", [demoted.userId]);
      await instance.write('UPDATE users SET active = false WHERE id = $1', [inactive.userId]);
      await instance.write('UPDATE api_keys SET scopes = $2, expires_at = $3 WHERE user_id = $1', [
        demoted.userId,
        ['read'],
        '2100-01-01',
      ]);
      const { status } = await instance.call('PUT', '/admin/settings/capture.exclude', {
        key: admin.key,
        body: { value: ['~/secret/**'] },
      });
      expect(status).toBe(200);
      await instance.write('UPDATE tenants SET limits = \'{"sessions": 7}\' WHERE id = $1', [admin.tenantId]);
      await instance.call('PUT', '/admin/retention/policies', {
        key: admin.key,
        body: { policies: [{ resource: 'prompt', age_days: 30, action: 'delete' }] },
      });
    }
    await instance.write("UPDATE sessions SET capture = false WHERE external_id = 'live'");
    const stateOf = async () =>
      instance.rows(
        `SELECT u.id, u.role, u.active, u.password_hash, k.scopes, k.expires_at, k.revoked_at, t.limits,
                  (SELECT jsonb_agg(s.value) FROM settings s WHERE s.tenant_id = t.id) AS settings,
                  (SELECT jsonb_agg(p.action ORDER BY p.id) FROM retention_policies p WHERE p.tenant_id = t.id) AS policies
             FROM users u JOIN api_keys k ON k.user_id = u.id JOIN tenants t ON t.id = u.tenant_id ORDER BY k.id`,
      );
    const before = await stateOf();
    expect(await requested(instance, 'restore', { backup_id: set, overwrite: true })).toMatchObject({
      state: 'completed',
      error: null,
    });
    expect(await stateOf()).toEqual(before);
    for (const { revoked, demoted, inactive } of people) {
      for (const { key } of [revoked, inactive])
        expect((await instance.call('GET', '/sessions', { key })).status).toBe(401);
      expect((await instance.call('GET', '/admin/legal-holds', { key: demoted.key })).status).toBe(403);
      expect((await instance.call('GET', '/sessions', { key: demoted.key })).status).toBe(200);
    }
    const { body } = await instance.call('GET', '/admin/settings', { key: second?.admin.key ?? '' });
    expect(JSON.stringify(body)).toContain(excluded);
    const rows = await instance.rows(
      "SELECT capture FROM sessions WHERE external_id IN ('live', 'intact') ORDER BY external_id",
    );
    expect(rows).toEqual([{ capture: true }, { capture: false }]);
  });

  test('ignores and reports forged entries of the erasure journal', async () => {
    const intactId = await sessionId(instance, 'intact');
    const tenantId = instance.admin.tenantId;
    const journal = path.join(storeOf('store'), 'erasures');
    const names = {
      tenant_id: tenantId,
      kind: 'session' as const,
      names: [erasedName('session', intactId ?? '')],
    };
    const forged = { id: newId(), at: new Date().toISOString(), ...names };
    await writeFile(path.join(journal, `${forged.id}.json`), JSON.stringify(forged));
    const foreign = newId();
    const record = { ...names, erasure_id: newId() };
    await mkdir(path.join(journal, foreign));
    const entry = { version: 1, journal: foreign, sequence: 1, previous: null, at: forged.at, record } as const;
    await writeFile(path.join(storeOf('store'), journalKey(foreign, 1)), journalObject(entry, newKey()).object);
    await writeFile(path.join(journal, 'torn.json'), '{"entry"');
    const restored = await requested(instance, 'restore', { backup_id: set, overwrite: true });
    expect(restored).toMatchObject({
      state: 'completed',
      error: null,
      result: { journal: { faults: { unsigned: 1, foreign: 1, unreadable: 1 } } },
    });
    const rows = await instance.rows("SELECT status FROM sessions WHERE external_id = 'intact'");
    expect(rows).toEqual([{ status: 'ended' }]);
    for (const name of [`${forged.id}.json`, foreign, 'torn.json'])
      await rm(path.join(journal, name), { recursive: true });
  });

  test('leaves nothing when cancelled', async () => {
    const answer = await instance.call('POST', '/admin/restore', { body: { backup_id: set, overwrite: true } });
    const { id, job_id: job } = z.looseObject({ id: z.string(), job_id: z.string() }).parse(answer.body);
    expect((await instance.call('POST', '/admin/drill', { body: {} })).status).toBe(409);
    await until(async () => ((await databases(instance, '_restore_')).length > 0 ? true : undefined), 240_000);
    expect((await instance.call('POST', `/jobs/${job}/cancel`)).status).toBe(202);
    expect(await ended(instance, id)).toMatchObject({ state: 'cancelled', error: null });
    expect([...(await databases(instance, '_restore_')), ...(await databases(instance, '_replaced_'))]).toEqual([]);
  });

  test('into an empty instance trusts a named signer and accepts the keys of both', async () => {
    const empty = await startTestInstance({
      RECOLLECT_BACKUP_STORE: storeOf('other'),
      RECOLLECT_BACKUP_SIGNING_KEY: newKey().toString('base64'),
      RECOLLECT_BACKUP_KEY: encryptionKey.toString('base64'),
      // The restored rows need no worker here.
      RECOLLECT_WORKER_QUEUES: 'session,maintenance',
    });
    try {
      await empty.startWorker();
      const from = { store: storeOf('store'), backup_id: set };
      expect(await requested(empty, 'restore', from)).toMatchObject({ error: 'BackupUntrusted' });
      const signer = fingerprintOf(publicKeyOf(signingKey));
      // Both were set up with a tenant of that name, as every new instance is.
      for (const of of [empty, instance]) await of.write("UPDATE tenants SET name = 'local' WHERE is_operator");
      expect((await instance.call('DELETE', '/events/intact-call-3?session=test%3Aintact')).status).toBe(200);
      const watching = watched(empty);
      expect(await requested(empty, 'restore', { ...from, signer })).toMatchObject({ state: 'completed', error: null });
      expect(await watching.stop()).toEqual(expect.not.arrayContaining([401, 403, 404]));
      const { body } = await empty.call('GET', '/sessions', { key: instance.admin.key });
      expect(JSON.stringify(body)).toContain('"intact"');
      // Tombstones are not in the journal: only erasure reaches another machine (docs/restore.md).
      for (const [of, left] of [
        [instance, 2],
        [empty, 3],
      ] as const)
        expect(
          await of.rows("SELECT FROM observations JOIN sessions s ON s.id = session_id WHERE s.external_id = 'intact'"),
        ).toHaveLength(left);
      expect((await empty.call('GET', '/admin/restores')).status).toBe(200);
      expect((await empty.call('GET', '/admin/restores', { key: instance.admin.key })).status).toBe(403);
    } finally {
      await dropReplaced(empty);
      await empty.close();
    }
  });
});
