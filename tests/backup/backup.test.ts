import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createProgram } from '../../cli/program.ts';
import { publicKeyOf } from '../../activities/backup/manifest.ts';
import type { Manifest } from '../../activities/backup/manifest.ts';
import { createDirectoryArchive } from '../../stores/archive/directory.ts';
import { LEFT_OUT, readCatalog } from '../../activities/backup/backed-up-tables.ts';
import { fileQuery, openCopyClient } from '../../activities/backup/copy-out.ts';
import { openQueries, answerFixedQueries, createFixedQueries } from '../../activities/backup/fixed-queries.ts';
import { unpackFile } from '../../activities/backup/packed-file.ts';
import { filesOf, readManifest, listSets } from '../../activities/backup/read-manifest.ts';
import { verifySet } from '../../activities/backup/verify-set.ts';
import { recordOutput } from '../cli/support/output.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { scraped } from '../setup/scraped.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-backup-'));
const dataDir = longLivedFolder();
const newSigner = () => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const signingKey = newSigner();
const trusted = [publicKeyOf(signingKey)];
const key = randomBytes(32);
const keys = [key];
const store = createDirectoryArchive(path.join(folder, 'store'));
const copy = createDirectoryArchive(path.join(folder, 'copy'));
const never = new AbortController().signal;
let instance: TestInstance;
let first: string;
let manifest: Manifest;

const backupAnswer = z.looseObject({
  id: z.string(),
  state: z.string(),
  complete: z.boolean(),
  verified_at: z.string().nullable(),
  verify_error: z.string().nullable(),
  removed_at: z.string().nullable(),
});
type Answer = z.output<typeof backupAnswer>;

async function show(id: string): Promise<Answer> {
  return backupAnswer.parse((await instance.call('GET', `/admin/backups/${id}`)).body);
}

/** Runs a command in this process; returns exit code, output and errors. */
async function run(...args: string[]): Promise<[number | undefined, string, string]> {
  const context = recordOutput({ HOME: '/no-home' });
  let code: number | undefined;
  await createProgram(context, (given) => {
    code = given;
  }).parseAsync([...args, '--data-dir', dataDir], { from: 'user' });
  return [code, context.text(), context.errors()];
}

async function keysOf(of: typeof store, prefix = 'sets/'): Promise<string[]> {
  const all: string[] = [];
  for await (const { key } of of.list(prefix)) all.push(key);
  return all;
}

async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return Buffer.concat(all).toString('utf8');
}

beforeAll(async () => {
  instance = await startTestInstance({
    RECOLLECT_BACKUP_STORE: path.join(folder, 'store'),
    RECOLLECT_BACKUP_COPY_STORE: path.join(folder, 'copy'),
    RECOLLECT_BACKUP_SIGNING_KEY: signingKey.toString('base64'),
    RECOLLECT_BACKUP_KEY: key.toString('base64'),
    RECOLLECT_BACKUP_KEEP_DAYS: '1',
    RECOLLECT_BACKUP_KEEP_LAST: '1',
  });
  await instance.startWorker();
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(
    path.join(dataDir, 'credentials.json'),
    JSON.stringify({ url: instance.url, api_key: instance.admin.key }),
  );
  await captured(instance, smallSession('in-backup'));
  await settled(instance, 'test:in-backup');
  // Recorded in the audit log before the snapshot.
  await instance.get('/admin/settings');
  // Of attempts that died, in both places.
  const half = '018f0000-0000-7000-8000-00000000dead';
  const days = new Date(Date.now() - 3 * 86_400_000);
  for (const place of [store, copy]) {
    await place.write(`sets/${half}/tables/users/0.copy.zst`, onePiece('half'));
    utimesSync(path.join(place.address, `sets/${half}/tables/users/0.copy.zst`), days, days);
  }
  const [code, text] = await run('backup', '--wait');
  if (
    code !== 0 ||
    !/^[0-9a-f-]{36}: \d+ rows and \d+ vectors in \d+ files, .*, encrypted, copied and verified\.\n$/.test(text)
  )
    throw new Error(`no backup: ${code} ${text}`);
  first = text.slice(0, 36);
  manifest = await readManifest(store, first, trusted);
}, 240_000);
afterAll(async () => {
  await instance.close();
  for (const each of [folder, dataDir]) rmSync(each, { recursive: true, force: true });
});

async function* onePiece(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describe('a set', () => {
  test('names the last row of the audit log, also as an anchor in the database', async () => {
    const tenantId = instance.admin.tenantId;
    expect(manifest.audit).toEqual([expect.objectContaining({ tenantId })]);
    for (const table of ['audit_log', 'audit_anchors'])
      expect(
        await instance.rows(
          `SELECT tenant_id AS "tenantId", seq::integer, encode(hash, 'hex') AS hash FROM ${table} WHERE tenant_id = $1 AND seq = $2`,
          [tenantId, manifest.audit[0]?.seq],
        ),
      ).toEqual(manifest.audit);
  });

  test('contains every row of every table except the listed ones', async () => {
    const rows = await instance.rows<{ name: string }>(
      "SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
    );
    const stored = manifest.tables.map(({ name }) => name);
    expect(stored).toEqual(rows.map(({ name }) => name).filter((name) => !LEFT_OUT.includes(name)));
    expect(stored).toEqual(
      expect.arrayContaining(['observations', 'prompts', 'capture_keys', 'embeddings', 'tenants']),
    );
    // Requests of this test are recorded; the backup itself adds anchors.
    const growing = new Set(['embedding_counts', 'audit_log', 'audit_anchors']);
    for (const { name, rows } of manifest.tables.filter(({ name }) => !growing.has(name))) {
      const counted = await instance.rows<{ n: number }>(`SELECT count(*)::integer AS n FROM "${name}"`);
      expect([name, rows]).toEqual([name, counted[0]?.n]);
    }
  });

  test('has the same bytes for the same rows, ordered, without generated columns', async () => {
    const prompts = manifest.tables.find(({ name }) => name === 'prompts');
    const [file] = prompts?.files ?? [];
    if (prompts === undefined || file === undefined) throw new Error('no prompts');
    expect(prompts.orderBy).toEqual(['id']);
    expect(file.lowest).toMatch(/-0000-0000-000000000000$/);
    const text = await textOf(unpackFile(store, first, file, key));
    expect(text).toContain('Please make the rounding of invoices half even');
    expect(text.trim().split('\n')).toHaveLength(file.rows);
    const rows = await instance.rows<{ id: string }>('SELECT id FROM prompts ORDER BY id');
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 36)),
    ).toEqual(rows.map(({ id }) => id));
    expect(manifest.tables.find(({ name }) => name === 'summaries')?.columns).not.toContain('search');
    expect(prompts.columns).toContain('search');
  });

  test('contains exactly the vectors that its ledger lists as indexed', async () => {
    const rows = await instance.rows<{ object_id: string }>(
      "SELECT object_id FROM embeddings WHERE state = 'indexed' ORDER BY object_id",
    );
    const [vectors] = manifest.vectors;
    const [file] = vectors?.files ?? [];
    if (vectors === undefined || file === undefined) throw new Error('no vectors');
    expect(rows.length).toBeGreaterThan(5);
    expect(vectors).toMatchObject({ tenantId: instance.admin.tenantId, objects: rows.length, left: 0 });
    const lines = (await textOf(unpackFile(store, first, file, key))).trim().split('\n');
    const objects = lines.map((line) =>
      z
        .object({ id: z.string(), properties: z.looseObject({ text: z.string() }), vector: z.base64() })
        .parse(JSON.parse(line)),
    );
    expect(objects.map(({ id }) => id).toSorted()).toEqual(rows.map((row) => row.object_id));
    for (const { vector } of objects) expect(Buffer.from(vector, 'base64')).toHaveLength(vectors.dimension * 4);
  });

  test('contains queries that the database answers alike', async () => {
    expect(manifest.queries.length).toBeGreaterThan(2);
    expect(manifest.queries.some(({ found }) => found.length > 0)).toBe(true);
    const opened = openQueries(manifest.queries, key, first);
    const client = await openCopyClient(instance.db.url('maintenance'), 5_000);
    try {
      const questions = await createFixedQueries(client);
      expect(await answerFixedQueries(client, questions)).toEqual(opened);
      // The manifest is not encrypted: words of people must not stand in it.
      const plain = opened.map(({ words }) => words).filter((words) => words.includes(' '));
      expect(plain.filter((words) => JSON.stringify(manifest).includes(words))).toEqual([]);
      expect(await answerFixedQueries(client, questions, { boundMs: -1, pace: () => Promise.resolve() })).toEqual([]);
      expect((await readCatalog(client)).map(({ name }) => name)).toEqual(manifest.tables.map(({ name }) => name));
    } finally {
      await client.end();
    }
  });

  test('cuts large tables, months and other keys into parts with every row in one of them', async () => {
    await instance.db.owner.query('VACUUM ANALYZE');
    const client = await openCopyClient(instance.db.url('maintenance'), 5_000);
    try {
      const coarse = new Map((await readCatalog(client)).map((table) => [table.name, table.ranges.length]));
      const cut = await readCatalog(client, 8_192);
      const finer = cut.filter(({ name, ranges }) => ranges.length > (coarse.get(name) ?? 0)).map(({ name }) => name);
      expect(finer).toEqual(expect.arrayContaining(['capture_keys', 'embeddings', 'observations']));
      for (const table of cut.filter(({ name }) => finer.includes(name))) {
        let rows = 0;
        for (const range of table.ranges) rows += (await client.query(fileQuery(table, range))).rowCount ?? 0;
        const { rows: all } = await client.query<{ n: number }>(`SELECT count(*)::integer AS n FROM "${table.name}"`);
        expect([table.name, rows]).toEqual([table.name, all[0]?.n]);
      }
    } finally {
      await client.end();
    }
  });

  test('is the same in both stores and unreadable without the key', async () => {
    expect(await keysOf(copy)).toEqual(await keysOf(store));
    expect(await keysOf(store)).toHaveLength(filesOf(manifest).length + 1);
    expect(manifest.encryption?.keyId).toMatch(/^[0-9a-f]{16}$/);
    for (const name of await keysOf(store)) {
      const [here, there] = ['store', 'copy'].map((place) => readFileSync(path.join(folder, place, name)));
      expect(here?.equals(there ?? Buffer.alloc(0))).toBe(true);
      expect(name.endsWith('manifest.json') || here?.includes(Buffer.from([0x28, 0xb5, 0x2f, 0xfd])) === false).toBe(
        true,
      );
    }
    expect(await show(first)).toMatchObject({
      state: 'completed',
      error: null,
      complete: true,
      encryption_key: manifest.encryption?.keyId,
      copy_verified_at: expect.any(String),
      manifest_sha256: createHash('sha256')
        .update(readFileSync(path.join(folder, 'store', `sets/${first}/manifest.json`)))
        .digest('hex'),
    });
  });

  test('is readable with its key and a trusted signer, and incomplete without its manifest', async () => {
    const look = (access: { trusted?: string[]; keys?: Buffer[] }, id = first) =>
      verifySet(store, id, { trusted, keys, ...access }, never);
    expect((await look({ keys: [randomBytes(32), key] })).id).toBe(first);
    await expect(look({ keys: [randomBytes(32)] })).rejects.toMatchObject({ kind: 'no_key' });
    await expect(look({ keys: [] })).rejects.toMatchObject({ kind: 'no_key' });
    await expect(look({ trusted: [publicKeyOf(newSigner())] })).rejects.toMatchObject({ kind: 'untrusted' });
    await expect(look({}, '018f0000-0000-7000-8000-00000000dead')).rejects.toMatchObject({ kind: 'missing' });
  });
});

describe('operators', { timeout: 240_000 }, () => {
  test('alone can request and list backups', async () => {
    const stranger = await instance.stranger({ role: 'admin' });
    for (const [method, at] of [
      ['POST', '/admin/backup'],
      ['GET', '/admin/backups'],
      ['GET', `/admin/backups/${first}`],
      ['POST', `/admin/backups/${first}/verify`],
    ] as const)
      expect([at, (await instance.call(method, at, { key: stranger.key })).status]).toEqual([at, 403]);
    expect((await instance.call('GET', '/admin/backups/018f0000-0000-7000-8000-000000000000')).status).toBe(404);
    // The workflow ends after its last write.
    await expect
      .poll(async () => (await instance.call('GET', `/jobs/backup.${first}`)).body)
      .toMatchObject({ job: { state: 'completed' } });
    expect((await instance.call('GET', `/jobs/backup.${first}`, { key: stranger.key })).status).toBe(404);
  });

  test('see time, size and verification of backups', async () => {
    const { input } = await scraped(instance, /^recollect_backup_copy_timestamp_seconds \d/m);
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'mu').exec(input)?.[1] ?? Number.NaN);
    expect(Date.now() / 1_000 - value('recollect_backup_last_success_timestamp_seconds')).toBeLessThan(600);
    expect(Date.now() / 1_000 - value('recollect_backup_copy_timestamp_seconds')).toBeLessThan(600);
    expect(value('recollect_backup_size_bytes')).toBeGreaterThan(1_000);
    expect(input).not.toMatch(/^recollect_backup_verified_timestamp_seconds/mu);
  });

  test('verify a backup and get a flipped bit reported', async () => {
    expect(await run('backup', 'verify', first)).toEqual([0, `${first} verified.\n`, '']);
    const good = await show(first);
    expect(good).toMatchObject({ verified_how: 'read', verify_error: null });
    const victim = path.join(folder, 'store', `sets/${first}`, filesOf(manifest)[1]?.key ?? '');
    const bytes = readFileSync(victim);
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 3) ^ 4, bytes.byteLength - 3);
    writeFileSync(victim, bytes);
    expect(await run('backup', 'verify', first)).toEqual([1, '', `${first} failed verification: BackupCorrupted.\n`]);
    expect(await show(first)).toMatchObject({ verify_error: 'BackupCorrupted', verified_at: good.verified_at });
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 3) ^ 4, bytes.byteLength - 3);
    writeFileSync(victim, bytes);
    expect((await run('backup', 'verify', first))[0]).toBe(0);
    expect((await run('backup', 'list'))[1]).toMatch(
      new RegExp(
        `^BACKUP +STATE +AGE .*\n${first} +completed +\\d+[sm] .* KB +[0-9a-f]{16} +read \\d+[sm] ago +verified\n$`,
        'u',
      ),
    );
  });
});

describe('an interrupted attempt', { timeout: 300_000 }, () => {
  test('restarts under the same id after a lost connection, and leaves nothing when cancelled', async () => {
    const blocker = await instance.db.maintenance.connect();
    try {
      await blocker.query('BEGIN');
      // Copying blocks here, after the tables before it.
      await blocker.query('LOCK TABLE windows IN ACCESS EXCLUSIVE MODE');
      const { id } = backupAnswer.parse((await instance.call('POST', '/admin/backup')).body);
      expect(backupAnswer.parse((await instance.call('POST', '/admin/backup')).body).id).toBe(id);
      const waiting = async () => {
        const rows = await instance.rows(
          "SELECT 1 FROM pg_stat_activity WHERE application_name = 'recollect-backup' AND datname = current_database() AND wait_event_type = 'Lock'",
        );
        return rows.length === 0 ? undefined : true;
      };
      await until(waiting, 60_000, 'the copying');
      expect((await keysOf(store, `sets/${id}/`)).length).toBeGreaterThan(5);
      const lost = await instance.db.maintenance.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'recollect-backup' AND datname = current_database()",
      );
      expect(lost.rowCount).toBeGreaterThan(1);
      await until(
        async () => {
          const job = await instance.call('GET', `/jobs/backup.${id}`);
          return JSON.stringify(job.body).includes('DatabaseUnavailable') ? true : undefined;
        },
        60_000,
        'the lost attempt',
      );
      expect((await show(id)).complete).toBe(false);
      expect((await listSets(store)).complete.map((set) => set.id)).toEqual([first]);
      expect((await instance.call('POST', `/jobs/backup.${id}/cancel`)).status).toBe(202);
      const ended = await until(async () => {
        const row = await show(id);
        return row.state === 'running' ? undefined : row;
      });
      expect(ended).toMatchObject({ state: 'cancelled', complete: false, error: null });
      expect(await keysOf(store, `sets/${id}/`)).toEqual([]);
    } finally {
      await blocker.query('ROLLBACK');
      blocker.release();
    }
  });
});

describe('old sets', { timeout: 300_000 }, () => {
  test('are removed from both stores, except the last verified one', async () => {
    const old = new Date(Date.now() - 3 * 86_400_000);
    for (const place of ['store', 'copy'])
      utimesSync(path.join(folder, place, `sets/${first}/manifest.json`), old, old);
    const second = (await run('backup', '--wait'))[1].slice(0, 36);
    expect((await listSets(copy)).complete.map(({ id }) => id)).toEqual(expect.arrayContaining([first, second]));
    expect((await run('backup', 'verify', second))[0]).toBe(0);
    // Of another instance, which is writing it.
    const foreign = 'sets/018f0000-0000-7000-8000-00000000beef/tables/users/0.copy.zst';
    await store.write(foreign, onePiece('half'));
    const third = (await run('backup', '--wait'))[1].slice(0, 36);
    expect(await keysOf(store)).toContain(foreign);
    for (const place of [store, copy])
      expect((await listSets(place)).complete.map(({ id }) => id).toSorted()).toEqual([second, third].toSorted());
    expect(await show(first)).toMatchObject({ complete: false, removed_at: expect.any(String) });
    const again = await readManifest(store, third, trusted);
    const hashes = ({ tables }: Manifest) =>
      tables
        .filter(({ name }) => ['prompts', 'learnings', 'capture_keys'].includes(name))
        .map(({ files }) => files.map((file) => file.plainSha256));
    expect(hashes(again)).toEqual(hashes(manifest));
  });
});
