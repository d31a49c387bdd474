import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tenantTables } from '../../../stores/postgres/exports/table-catalog.ts';
import { linesOf } from '../../../activities/export-import/lines.ts';
import { readRows } from '../../../activities/export-import/read-rows.ts';
import { EXPORTED_TABLES, UNEXPORTED_TABLES } from '../../../stores/postgres/exports/scope-rules.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';
import { seedTenant } from '../../stores/postgres/support/seed-tenant.ts';
import { exported, inPieces, maintenancePool } from './support/lines-of.ts';

let here: TestDatabase;
let there: TestDatabase;
let hereAll: pg.Pool;
let thereAll: pg.Pool;
let mine: TestUser;
let other: TestUser;
let importer: TestUser;
let session: string;
let text: string;

const index = { name: 'm', dimension: 3 };

function read(to: string, tenant: TestUser, options: Partial<Parameters<typeof readRows>[3]> = {}) {
  return readRows(thereAll, linesOf(inPieces(to)), tenant.tenantId, { index, ...options });
}

beforeAll(async () => {
  [here, there] = [await createTestDatabase(), await createTestDatabase()];
  [hereAll, thereAll] = [maintenancePool(here), maintenancePool(there)];
  mine = await seedTenant(here);
  other = await seedTenant(here);
  importer = await there.createUser({ role: 'admin' });
  const [found] = await here.rows<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [mine.tenantId]);
  session = found?.id ?? '';
  // Values that a careless export would lose: digits, microseconds, bytes, a JSON null, an old month, words of search, blanks and quotes in arrays.
  await here.write(
    `UPDATE observations SET input = 'null', metadata = '{"n": 12345678901234567890.123456789012345678}', importance = 0.1, occurred_at = '2026-01-02T03:04:05.123456Z',
            tags = ARRAY['a "b"', ' c, d ', 'NULL', ''], search = to_tsvector('english', 'running words') WHERE tenant_id = $1`,
    [mine.tenantId],
  );
  const old = `018d0000-0000-7000-8000-${randomUUID().slice(-12)}`;
  await here.write(
    `INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, occurred_at) VALUES ($1, $2, $3, $4, 900, 'user', E'an old\\nprompt', sha256('old'), 3, '2024-01-14T00:00:00.000001Z')`,
    [old, mine.tenantId, session, mine.userId],
  );
  await here.write(
    "INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id) VALUES ($1, 'old', $2, 900, 'prompt', $3)",
    [session, mine.tenantId, old],
  );
  // The seeds quote rows that do not exist; only vectors of existing rows are requested.
  await here.write('UPDATE embeddings SET resource_id = $1 WHERE tenant_id = $2', [old, mine.tenantId]);
  text = await exported(hereAll, { kind: 'tenant', tenantId: mine.tenantId, subject: null });
});
afterAll(async () => {
  await hereAll.end();
  await thereAll.end();
  await here.close();
  await there.close();
});

test('exports every tenant table or lists a reason, parents first', async () => {
  const tables = await tenantTables(hereAll);
  expect(
    tables.map(({ name }) => name).filter((name) => !(name in EXPORTED_TABLES) && !(name in UNEXPORTED_TABLES)),
  ).toEqual([]);
  expect(Object.keys(EXPORTED_TABLES).filter((name) => name in UNEXPORTED_TABLES)).toEqual([]);
  const places = new Map(tables.map(({ name }, place) => [name, place]));
  const late = tables.flatMap(({ name, foreignKeys }) =>
    foreignKeys
      .filter(({ parent }) => (places.get(parent) ?? -1) > (places.get(name) ?? 0))
      .map(({ parent }) => `${parent} after ${name}`),
  );
  expect(late).toEqual([]);
});

test('exports a row of every table with counts and checksum, without secrets', async () => {
  const lines = text.trimEnd().split('\n');
  const end = JSON.parse(lines.at(-1) ?? '') as { end: { rows: Record<string, number>; sha256: string } };
  expect(Object.keys(EXPORTED_TABLES).filter((name) => end.end.rows[name] === undefined)).toEqual(
    ['tombstones'].filter(() => false),
  );
  const counted = await Promise.all(
    Object.keys(end.end.rows).map(
      async (table) => [table, await here.count(`${table} WHERE tenant_id = $1`, [mine.tenantId])] as const,
    ),
  );
  expect(end.end.rows).toEqual(Object.fromEntries(counted));
  expect(
    createHash('sha256')
      .update(text.slice(0, text.lastIndexOf('{"end"')))
      .digest('hex'),
  ).toBe(end.end.sha256);
  expect(text).not.toContain('password');
  expect(text).not.toContain('totp');
  expect(text).not.toContain('key_sha256":"');
  expect(text).not.toContain(other.tenantId);
});

test('imports the same rows into a tenant of another instance', async () => {
  const months = new Set<string>();
  const { read: source, written } = await read(text, importer, {
    ensureMonths: (_client, fromMs) => Promise.resolve(void months.add(new Date(fromMs).toISOString().slice(0, 7))),
  });
  expect(written).toEqual(source);
  expect(months).toContain('2024-01');
  // The import creates the exported user here, without a way to log in.
  const people = await there.rows<{ active: boolean; role: string }>(
    'SELECT active, role FROM users WHERE tenant_id = $1 AND id = $2',
    [importer.tenantId, mine.userId],
  );
  expect(people).toEqual([{ active: false, role: 'user' }]);
  for (const table of Object.keys(source).filter((name) => name !== 'users' && name !== 'embeddings')) {
    const columns = (await tenantTables(hereAll))
      .find(({ name }) => name === table)
      ?.columns.filter(({ name }) => name !== 'tenant_id' && !(table === 'settings' && name === 'scope_id'))
      .map(({ name }) => `t."${name}"`);
    const rowsOf = (db: TestDatabase, tenantId: string) =>
      db.rows<{ row: string }>(
        `SELECT (ROW(${columns?.join(', ')}))::text AS row FROM ${table} t WHERE t.tenant_id = $1 ORDER BY 1`,
        [tenantId],
      );
    const [came, went] = [await rowsOf(there, importer.tenantId), await rowsOf(here, mine.tenantId)];
    expect({ table, rows: came }).toEqual({ table, rows: went });
  }
  expect(await there.rows('SELECT state, model FROM embeddings WHERE tenant_id = $1', [importer.tenantId])).toEqual([
    { state: 'pending', model: 'm' },
  ]);
});

test('creates nothing twice when repeated or resumed', async () => {
  const again = await read(text, importer);
  expect(Object.values(again.written).every((rows) => rows === 0)).toBe(true);
  const rest = await read(text, importer, { done: { lines: 10, written: { sessions: 1 } } });
  expect(rest.read).toEqual(again.read);
  expect(rest.written).toMatchObject({ sessions: 1, users: 0 });
});

test('rejects ids of another tenant without a change', async () => {
  const stranger = await there.createUser();
  await expect(read(text, stranger)).rejects.toMatchObject({ name: 'ExportFileError', fault: 'id_taken' });
  expect(await there.count('sessions WHERE tenant_id = $1', [stranger.tenantId])).toBe(0);
  expect(await there.count('sessions WHERE tenant_id = $1', [importer.tenantId])).toBe(1);
});

describe('incomplete export files', () => {
  const broken: readonly [string, () => string, string][] = [
    ['nothing', () => '', 'not_export_file'],
    ['another file', () => '{"a":1}\n', 'not_export_file'],
    ['one cut off between lines', () => text.slice(0, text.lastIndexOf('{"end"')), 'unfinished'],
    ['one cut off in a line', () => text.slice(0, -100), 'damaged'],
    ['a flipped letter', () => text.replace('A question', 'B question'), 'damaged'],
    ['a row that is none', () => text.replace('"seq": 1', '"seq": "x"'), 'damaged'],
    ['a newer version', () => text.replace('"version":1', '"version":2'), 'newer'],
    [
      'a table that exports do not contain',
      () => text.replace('{"table":"windows"', '{"table":"api_keys"'),
      'not_export_file',
    ],
  ];
  test.each(broken)('%s', async (_name, made, fault) => {
    await expect(read(made(), importer)).rejects.toMatchObject({ name: 'ExportFileError', fault });
  });
});

test('exports only the rows of a session, a user or a project', async () => {
  const guest = await here.createUser({ tenantId: mine.tenantId });
  for (const [kind, subject] of [
    ['session', session],
    ['user', mine.userId],
  ] as const) {
    const part = await exported(hereAll, { kind, tenantId: mine.tenantId, subject });
    for (const table of ['sessions', 'prompts', 'observations', 'summaries', 'learnings', 'relations', 'entities'])
      expect(part, `${kind} ${table}`).toContain(`{"table":"${table}"`);
    expect(part).not.toContain('{"table":"settings"');
  }
  const none = await exported(hereAll, { kind: 'user', tenantId: mine.tenantId, subject: guest.userId });
  expect(
    none
      .split('\n')
      .filter((line) => line.startsWith('{"table"'))
      .map((line) => line.slice(0, 16)),
  ).toEqual(['{"table":"users"']);
  const foreign = await exported(hereAll, { kind: 'session', tenantId: other.tenantId, subject: session });
  expect(foreign).not.toContain('{"table"');
});

test('does not restore forgotten rows from an older export', async () => {
  const tenant = await there.createUser({ role: 'admin' });
  const renamed = text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) =>
    id === mine.tenantId ? id : id.slice(0, -6) + createHash('sha256').update(id).digest('hex').slice(0, 6),
  );
  const body = renamed.slice(0, renamed.lastIndexOf('{"end"'));
  const changed =
    body +
    renamed
      .slice(renamed.lastIndexOf('{"end"'))
      .replace(/[0-9a-f]{64}/, createHash('sha256').update(body).digest('hex'));
  await there.write(
    "INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) SELECT $1, host, external_id, sha256('session') FROM sessions WHERE tenant_id = $2",
    [tenant.tenantId, importer.tenantId],
  );
  const { written } = await read(changed, tenant);
  const refused = ['sessions', 'prompts', 'observations', 'summaries', 'learning_evidence', 'entity_mentions'];
  expect(refused.filter((table) => written[table] !== 0)).toEqual([]);
  expect(await there.count('entities WHERE tenant_id = $1', [tenant.tenantId])).toBe(0);
});
