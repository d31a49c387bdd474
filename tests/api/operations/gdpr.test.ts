import { createHash, createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { dataOf } from '../../../contract/shared.ts';
import { searchAnswer } from '../../../contract/search.ts';
import { gdprRequestSchema, exportSchema, fileImportSchema } from '../../../contract/gdpr.ts';
import { erasedName } from '../../../domain/erasure/erasure-journal.ts';
import { readJournalObject } from '../../../stores/archive/journal-entry.ts';
import type { TestUser } from '../../setup/database.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { MARK, MARKED_PROJECT, reads, seedMarked, shownAt } from '../support/hidden-reads.ts';
import { copiesOutside } from '../support/copies-outside.ts';
import { expectError } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-gdpr-'));
const { privateKey } = generateKeyPairSync('ed25519');
const SECRET = 'The vault code is 7-Alpha-99';
/** The session that is hidden, and erased later. */
const OLD = `${MARK}-day`;
let here: TestInstance;
let there: TestInstance;
let guest: TestUser;

async function sendPrompt(instance: TestInstance, session: string, content: string, key?: string): Promise<void> {
  const body = promptEvent(session, content, { project: { path: MARKED_PROJECT }, infer: false });
  const answer = await instance.post('/events', body, key);
  expect(answer.status).toBe(202);
}

async function search(instance: TestInstance, words: string, key?: string): Promise<string[]> {
  const query = new URLSearchParams({ q: words, limit: '20' });
  const answer = await instance.get(`/search?${query.toString()}`, key);
  return searchAnswer.parse(answer.body).data.map((memory) => memory.content);
}

function ended<Schema extends z.ZodType<{ state: string }>>(instance: TestInstance, address: string, schema: Schema) {
  return until(
    async () => {
      const row = schema.parse((await instance.get(address)).body);
      return row.state === 'running' ? undefined : row;
    },
    60_000,
    `the job at ${address}`,
  );
}

async function erased(body: object): Promise<z.output<typeof gdprRequestSchema>> {
  const accepted = await here.post('/gdpr/erase', body);
  expect(accepted).toMatchObject({ status: 202 });
  return ended(here, `/gdpr/requests/${gdprRequestSchema.parse(accepted.body).id}`, gdprRequestSchema);
}

/** The file of an export of the complete tenant. */
async function exported(instance: TestInstance): Promise<Buffer<ArrayBuffer>> {
  const accepted = exportSchema.parse((await instance.post('/exports', {})).body);
  const done = await ended(instance, `/exports/${accepted.id}`, exportSchema);
  expect(done).toMatchObject({ state: 'completed', error: null });
  const file = await fetch(`${instance.url}/api/v1/exports/${accepted.id}/file`, {
    headers: { authorization: `Bearer ${instance.admin.key}` },
  });
  const bytes = Buffer.from(await file.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(done.sha256);
  return bytes;
}

async function imported(instance: TestInstance, file: Uint8Array<ArrayBuffer>) {
  const headers = { 'content-type': 'application/zstd' };
  const accepted = fileImportSchema.parse((await instance.call('POST', '/imports/files', { raw: file, headers })).body);
  return ended(instance, `/imports/files/${accepted.id}`, fileImportSchema);
}

beforeAll(async () => {
  const settings = (name: string) => ({
    RECOLLECT_ARCHIVE_STORE: path.join(folder, name, 'archive'),
    RECOLLECT_BACKUP_STORE: path.join(folder, name, 'backups'),
    RECOLLECT_BACKUP_COPY_STORE: path.join(folder, name, 'copy'),
    RECOLLECT_BACKUP_SIGNING_KEY: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
  });
  [here, there] = await Promise.all([startTestInstance(settings('here')), startTestInstance(settings('there'))]);
  await Promise.all([here.startWorker(), there.startWorker()]);
  guest = await here.user();
  await sendPrompt(here, 'first', 'Where do the pelicans nest');
  await sendPrompt(here, 'first', SECRET);
  await sendPrompt(here, OLD, 'Which lighthouse is the oldest');
  await sendPrompt(here, 'guest', 'My own umbrella hangs in the hall', guest.key);
  for (const words of ['umbrella hall', 'vault code'])
    await untilTrue(async () => (await search(here, words)).length > 0);
});
afterAll(async () => {
  await here.close();
  await there.close();
  rmSync(folder, { recursive: true, force: true });
});

let older: Buffer<ArrayBuffer>;

test('an export imported into another instance has the same rows and search results', async () => {
  older = await exported(here);
  const { state, error, read, written } = await imported(there, older);
  expect({ state, error }).toEqual({ state: 'completed', error: null });
  expect(written).toEqual(read);
  const hashes = async (instance: TestInstance) =>
    await instance.rows(
      "SELECT id, encode(sha256, 'hex') AS sha256, occurred_at FROM prompts WHERE tenant_id = $1 ORDER BY id",
      [instance.admin.tenantId],
    );
  expect(await hashes(there)).toEqual(await hashes(here));
  const questions = ['pelicans nest', 'oldest lighthouse', '"vault code"', 'umbrella'];
  const answersOf = async (instance: TestInstance) =>
    JSON.stringify(await Promise.all(questions.map((words) => search(instance, words))));
  // Both ask until their vectors stand.
  await untilTrue(async () => (await answersOf(here)) === (await answersOf(there)));
  const again = await imported(there, older);
  expect(Object.values(again.written).reduce((sum, rows) => sum + rows, 0)).toBe(0);
  const broken = Buffer.from(older);
  broken[Math.floor(broken.length / 2)] = (broken[Math.floor(broken.length / 2)] ?? 0) ^ 1;
  expect(await imported(there, broken)).toMatchObject({ state: 'failed' });
});

const archivesFolder = () => path.join(folder, 'here', 'archive', 'archives', here.admin.tenantId);

/** What a worker leaves that is killed when it has written a session's archive: no index line names it. */
async function leaveArchive(session: string): Promise<string> {
  const { id } = z.object({ id: z.string() }).parse((await here.get(`/sessions/test:${session}`)).body);
  mkdirSync(archivesFolder(), { recursive: true });
  writeFileSync(path.join(archivesFolder(), `${id}.${randomUUID()}.ndjson.zst`), zstdCompressSync(SECRET));
  return id;
}

/** What prompts say that hold a piece of text. */
async function promptsWith(piece: string): Promise<string[]> {
  const rows = await here.rows<{ content: string }>(
    'SELECT content FROM prompts WHERE tenant_id = $1 AND position($2 IN content) > 0',
    [here.admin.tenantId, piece],
  );
  return rows.map(({ content }) => content);
}

test('a text is erased everywhere, and neither a hook, nor a spool, nor a transcript, nor an import of an older export brings it back', async () => {
  const elsewhere = await copiesOutside(here, SECRET);
  const counted = await here.post('/gdpr/erase', { kind: 'text', text: SECRET, dry_run: true });
  expect(counted.body).toMatchObject({ dry_run: true, found: { events: 2 } });
  expectError(await here.post('/gdpr/erase', { kind: 'text', text: SECRET, dry_run: true }, guest.key), 'FORBIDDEN');
  await here.put(`/sessions/${await leaveArchive('first')}`, { title: SECRET });
  const exportsFolder = path.join(folder, 'here', 'archive', 'exports', here.admin.tenantId);
  expect(readdirSync(exportsFolder)).toHaveLength(1);
  // Of an attempt that was killed after it had expired the row.
  writeFileSync(path.join(exportsFolder, `${randomUUID()}.ndjson.zst`), SECRET);
  const done = await erased({ kind: 'text', text: SECRET });
  expect(done).toMatchObject({ state: 'completed', phase: 'completed', removed: { prompts: 2, titles: 1 } });
  expect(await search(here, 'vault code')).not.toContain(SECRET);
  const signed = z.object({ receipt: z.string() }).parse(done.receipt);
  expect(signed.receipt).not.toContain('vault');
  expect(JSON.parse(signed.receipt)).toMatchObject({
    id: done.id,
    kind: 'text',
    name: null,
    checks: [
      { where: 'database', left: 0 },
      { where: 'archive store', left: 0 },
      { where: 'vector index', left: 0, looked_at: expect.any(Number) },
    ],
    journal: { entries: [expect.stringMatching(/^erasures\/[0-9a-f-]{36}\/0000000002\.json$/)], stores: 2 },
  });
  const { public_key: spki, signature, sha256 = '' } = done.receipt ?? {};
  expect(createHash('sha256').update(signed.receipt).digest('hex')).toBe(sha256);
  const key = createPublicKey({ key: Buffer.from(spki ?? '', 'base64'), format: 'der', type: 'spki' });
  expect(verify(null, Buffer.from(sha256, 'hex'), key, Buffer.from(signature ?? '', 'base64'))).toBe(true);
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
  // No search text is stored, in the row, in the journal or in its copy.
  const rows = await here.rows('SELECT search_text, found FROM erasures WHERE id = $1', [done.id]);
  expect(rows).toEqual([{ search_text: null, found: null }]);
  for (const store of ['backups', 'copy']) {
    const { journal } = z
      .object({ journal: z.object({ entries: z.array(z.string()) }) })
      .parse(JSON.parse(signed.receipt));
    const object = readFileSync(path.join(folder, 'here', store, journal.entries[0] ?? ''));
    expect(object.toString('utf8')).not.toContain('vault');
    expect(readJournalObject(object)).toMatchObject({
      entry: { sequence: 2, previous: hash, record: { kind: 'text', erasure_id: done.id, names: [hash, hash, hash] } },
      publicKey: spki,
    });
  }
  const body = promptEvent('first', SECRET, { infer: false });
  expectError(await here.post('/events', body), 'EVENT_FORGOTTEN');
  // A hook gets a success, so that its spool deletes the event; nothing is stored.
  expect(await elsewhere.again()).toMatchObject({ end: { kind: 'done' }, delivered: 1, quarantined: 0 });
  elsewhere.remove();
  expect(await promptsWith('Is there tea')).toHaveLength(1);
  expect(await imported(here, older)).toMatchObject({ state: 'completed' });
  expect(await promptsWith('vault code')).toEqual([]);
  expect(await search(here, 'vault code')).not.toContain(SECRET);
  expect(readdirSync(exportsFolder)).toEqual([]);
  expect(readdirSync(archivesFolder())).toEqual([]);
});

test('restricted memory is not found until the restriction ends, and nothing of it is deleted', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const marked = await seedMarked(here, OLD, 'first');
  let shown: readonly string[] = [];
  const missing = async () => {
    shown = await shownAt(here, OLD, marked);
    return reads(OLD, marked)
      .map(([address]) => address)
      .filter((address) => !shown.includes(address));
  };
  // On a busy machine a completion may come too late.
  const patience = { timeout: 100_000 };
  await expect.poll(missing, patience).toEqual([]);
  const hidden = await here.post('/gdpr/restrict', { session: `test:${OLD}`, until: soon });
  expect(hidden.body).toMatchObject({ restricted_until: soon, user: null });
  expect(await shownAt(here, OLD, marked)).toEqual([]);
  // What others taught stays, without the quote of what is hidden.
  expect((await here.get(`/learnings/${marked.quoting}`)).body).toMatchObject({ title: 'Of birds', evidence: [] });
  await here.delete(`/gdpr/restrict?session=test:${OLD}`);
  await expect.poll(() => shownAt(here, OLD, marked), patience).toEqual(shown);
  await here.post('/gdpr/restrict', { user: here.admin.userId, until: soon });
  expect(await shownAt(here, OLD, marked)).toEqual([]);
  await here.delete(`/gdpr/restrict?user=${here.admin.userId}`);
  const refused = await here.post('/gdpr/restrict', { until: soon }, guest.key);
  expectError(refused, 'VALIDATION_FAILED');
  await here.post('/gdpr/restrict', { user: guest.userId, until: soon }, guest.key);
  expect(await search(here, 'umbrella hall')).not.toContain('My own umbrella hangs in the hall');
  await here.delete(`/gdpr/restrict?user=${guest.userId}`);
  expect(await search(here, 'umbrella hall')).toContain('My own umbrella hangs in the hall');
});

test('a session and a person are erased, each with a receipt; under a hold neither is', async () => {
  const session = await leaveArchive(OLD);
  await here.write(
    "INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by) VALUES (uuidv7(), $1, 'session', $2, 'a case', $3)",
    [here.admin.tenantId, session, here.admin.userId],
  );
  expectError(await here.post('/gdpr/erase', { kind: 'session', session }), 'CONFLICT');
  await here.write('UPDATE legal_holds SET released_at = now()');
  expect(await erased({ kind: 'session', session })).toMatchObject({
    state: 'completed',
    removed: { sessions: 1, prompts: 1, vectors: 1, archives: 1 },
  });
  expect(readdirSync(archivesFolder())).toEqual([]);
  const again = promptEvent(OLD, 'I am back', { infer: false });
  expectError(await here.post('/events', again), 'SESSION_DELETED');
  expect(await imported(here, older)).toMatchObject({ state: 'completed' });
  expect(await promptsWith(MARK)).toEqual([]);
  const self = await here.post('/gdpr/erase', { kind: 'user', user: here.admin.userId });
  expectError(self, 'CONFLICT');
  const own = await here.post('/gdpr/export', {}, guest.key);
  expect(own.status).toBe(202);
  await ended(here, `/exports/${exportSchema.parse(own.body).id}`, exportSchema);
  const done = await erased({ kind: 'user', user: guest.userId });
  expect(done).toMatchObject({ state: 'completed', removed: { sessions: 1, users: 1 } });
  expect(JSON.parse(done.receipt?.receipt ?? '{}')).toMatchObject({ name: erasedName('user', guest.userId) });
  expect(await search(here, 'umbrella hall')).not.toContain('My own umbrella hangs in the hall');
  const list = dataOf(gdprRequestSchema).parse((await here.get('/gdpr/requests?limit=100')).body);
  expect(list.data.filter(({ right, state }) => right === 'erase' && state === 'completed')).toHaveLength(3);
});

test('a tenant is erased completely, and its keys are rejected afterwards', async () => {
  const { tenantId } = there.admin;
  const body = { kind: 'tenant', name: 'another' };
  expectError(await there.post('/gdpr/erase', body), 'VALIDATION_FAILED');
  // A key that was just used is believed for some seconds: this one was not.
  const { key: unused } = await there.db.createUser({ tenantId });
  const accepted = await there.post('/gdpr/erase', { kind: 'tenant', name: tenantId });
  const { id } = gdprRequestSchema.parse(accepted.body);
  const row = await until(async () => {
    const rows = await there.rows<{ state: string; receipt: { receipt: string } }>(
      'SELECT state, receipt FROM erasures WHERE id = $1',
      [id],
    );
    return rows[0]?.state === 'running' ? undefined : rows[0];
  });
  expect(row?.state).toBe('completed');
  expect(JSON.parse(row?.receipt.receipt ?? '{}')).toMatchObject({
    kind: 'tenant',
    checks: [{ left: 0 }, { left: 0 }],
  });
  const tables = await there.rows<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
  );
  expect(tables.length).toBeGreaterThan(40);
  const counted = tables.map(
    ({ name }) => `SELECT '${name}' AS name, count(*)::integer AS n FROM "${name}" WHERE tenant_id = $1`,
  );
  const left = await there.rows<{ name: string; n: number }>(
    `${counted.join(' UNION ALL ')} UNION ALL SELECT 'tenants', count(*)::integer FROM tenants WHERE id = $1`,
    [tenantId],
  );
  // The receipt alone stays, in the row of the erasure.
  expect(left.filter(({ n }) => n > 0)).toEqual([{ name: 'erasures', n: 1 }]);
  expect((await there.get('/sessions', unused)).status).toBe(401);
});
