import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { erasedName } from '../../../../domain/erasure/erasure-journal.ts';
import type { ErasureKind } from '../../../../domain/erasure/erasure-journal.ts';
import { newId } from '../../../../domain/ids.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { CONTENT_COLUMNS, findBeside, findText } from '../../../../stores/postgres/erasure/find-text.ts';
import { replayErasures } from '../../../../stores/postgres/erasure/replay-erasures.ts';
import { tenantTables } from '../../../../stores/postgres/exports/table-catalog.ts';
import { maintenancePool } from '../../../activities/export-import/support/lines-of.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, noted, promptPart } from '../support/captures.ts';
import { seedTenant } from '../support/seed-tenant.ts';

/** Columns that name the owner of a row or the author of an action. */
const NAMES_A_PERSON = /^user_id$|^(?:requested|created|updated|verified|closed|released|approved)_by$/;
/** User id of a tombstone without a session. */
const NO_USER = '00000000-0000-0000-0000-000000000000';
const db = fileDatabase();
let all: pg.Pool;

beforeAll(async () => {
  all = maintenancePool(db);
});
afterAll(() => all.end());

async function count(table: string, where: string, values: unknown[]): Promise<number> {
  return db.count(`${table} t WHERE ${where}`, values);
}

async function idOf(table: string, tenantId: string): Promise<string> {
  const rows = await db.rows<{ id: string }>(`SELECT id FROM ${table} WHERE tenant_id = $1 LIMIT 1`, [tenantId]);
  return rows[0]?.id ?? '';
}

function entry(kind: ErasureKind, user: TestUser, names: readonly string[]) {
  return { erasure_id: newId(), tenant_id: user.tenantId, kind, names: [...names] };
}

test('deletes a session by the hash of its id, with its rows, and capture rejects it from then on', async () => {
  const [mine, other] = [await seedTenant(db), await seedTenant(db)];
  const session = await idOf('sessions', mine.tenantId);
  const names = [erasedName('session', session), erasedName('session', await idOf('sessions', other.tenantId))];
  const counts = await replayErasures(all, [entry('session', mine, names)]);
  expect(counts).toMatchObject({ sessions: 1, prompts: 1, observations: 1, summaries: 1 });
  for (const table of ['prompts', 'observations', 'summaries', 'learning_evidence', 'contexts', 'entity_mentions'])
    expect([table, await count(table, 't.session_id = $1', [session])]).toEqual([table, 0]);
  expect(await count('prompts', 't.tenant_id = $1', [other.tenantId])).toBe(1);
  const [again] = await captureEvents(db.database.pool, [event(mine, 'seeded', [promptPart('Again')])]);
  expect(again).toMatchObject({ status: 'rejected' });
  expect(await replayErasures(all, [entry('session', mine, names)])).toEqual({ sessions: 1 });
});

test('deletes a user with all owned rows; learnings shared with others and usage remain without the user', async () => {
  const mine = await seedTenant(db);
  const guest = await db.createUser({ tenantId: mine.tenantId });
  await captureEvents(db.database.pool, [event(guest, 'guest', [promptPart('Mine')])]);
  await db.write(
    `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote)
     SELECT l.id, uuidv7(), 'g', l.tenant_id, s.id, 'by the guest' FROM learnings l JOIN sessions s ON s.user_id = $2 WHERE l.tenant_id = $1`,
    [mine.tenantId, guest.userId],
  );
  await replayErasures(all, [entry('user', mine, [erasedName('user', mine.userId)])]);
  const tables = (await tenantTables(all)).filter(({ columns }) =>
    columns.some((column) => NAMES_A_PERSON.test(column.name)),
  );
  const remaining = await Promise.all(
    tables.map(async ({ name, columns }) => {
      const who = columns.filter((column) => NAMES_A_PERSON.test(column.name));
      return [
        name,
        await count(name, who.map((column) => `t.${column.name} = $1`).join(' OR '), [mine.userId]),
      ] as const;
    }),
  );
  // A legal hold must name its author while it exists: by an id that no user has any more.
  expect(remaining.filter(([, rows]) => rows > 0)).toEqual([['legal_holds', 1]]);
  expect(await count('users', 't.id = $1', [mine.userId])).toBe(0);
  expect(await count('usage_ledger', 't.tenant_id = $1 AND t.user_id IS NULL', [mine.tenantId])).toBe(1);
  expect(await count('learnings', 't.tenant_id = $1 AND t.user_id = $2', [mine.tenantId, guest.userId])).toBe(1);
  expect(await count('prompts', 't.user_id = $1', [guest.userId])).toBe(1);
});

test('deletes a tenant from every table of the catalog, and no row of another tenant', async () => {
  const [mine, other] = [await seedTenant(db), await seedTenant(db)];
  const names = (await tenantTables(all)).map(({ name }) => name).filter((name) => name !== 'erasures');
  const countAll = (tenantId: string) =>
    Promise.all(names.map(async (name) => [name, await count(name, 't.tenant_id = $1', [tenantId])] as const));
  const before = await countAll(other.tenantId);
  // Every table has a row to erase, so that an empty result proves deletion.
  expect((await countAll(mine.tenantId)).filter(([, rows]) => rows === 0)).toEqual([]);
  await db.write("INSERT INTO backups (id, requested_by, workflow_id) VALUES ($1, $2, 'w')", [newId(), mine.userId]);
  await replayErasures(all, [entry('tenant', mine, [erasedName('tenant', mine.tenantId)])]);
  expect((await countAll(mine.tenantId)).filter(([, rows]) => rows > 0)).toEqual([]);
  expect(await count('tenants', 't.id = $1', [mine.tenantId])).toBe(0);
  expect(await count('backups', 't.requested_by = $1', [mine.userId])).toBe(0);
  expect(await countAll(other.tenantId)).toEqual(before);
});

test('finds a text exactly, in every column, and deletes it by the hashes of its rows', async () => {
  const mine = await seedTenant(db);
  const searchText = 'Zürich "42%_\\ Ⅻ';
  await captureEvents(db.database.pool, [
    event(mine, 'searched', [promptPart(`I live in ${searchText}, since May`)]),
    event(mine, 'searched', [noted(`seen: ${searchText.toLowerCase()}`)]),
  ]);
  await db.write(
    `UPDATE observations SET input = jsonb_build_object('deep', jsonb_build_array($2::text)) WHERE tenant_id = $1 AND content LIKE 'A note%'`,
    [mine.tenantId, `x ${searchText}`],
  );
  await db.write('UPDATE summaries SET content = $2 WHERE tenant_id = $1', [mine.tenantId, searchText]);
  await db.write('UPDATE learnings SET examples = jsonb_build_array($2::text) WHERE tenant_id = $1', [
    mine.tenantId,
    searchText,
  ]);
  await db.write("UPDATE entities SET label = $2 WHERE tenant_id = $1 AND type = 'file'", [mine.tenantId, searchText]);
  const found = await findText(db.database, mine.tenantId, searchText);
  const sizes = { ...found, objects: 0, fullValues: 0, sessions: found.sessions.length };
  expect(
    Object.fromEntries(Object.entries(sizes).map(([name, ids]) => [name, Array.isArray(ids) ? ids.length : ids])),
  ).toEqual({
    events: 2,
    summaries: 1,
    learnings: 1,
    entities: 1,
    objects: 0,
    fullValues: 0,
    sessions: 0,
  });
  expect((await findText(db.database, mine.tenantId, 'created_at')).events).toEqual([]);
  const ids = [...found.events, ...found.summaries].map(({ id }) => id).concat(found.learnings, found.entities);
  await replayErasures(all, [
    entry(
      'text',
      mine,
      ids.map((id) => erasedName('row', id)),
    ),
  ]);
  const after = await findText(db.database, mine.tenantId, searchText);
  expect([after.events, after.summaries, after.learnings, after.entities]).toEqual([[], [], [], []]);
  expect(await count('observations', 't.content LIKE $1', ['seen: zürich%'])).toBe(1);
});

test('deletes a text outside of memories by the hashes of its rows, and the caches that may contain it', async () => {
  const [mine, other] = [await seedTenant(db), await seedTenant(db)];
  const text = 'the heron of the third pier';
  const columns = {
    sessions: ["title = $2, metadata = '{}'", 'title IS NOT NULL'],
    memory_uses: ['note = $2', 'note IS NOT NULL'],
    learning_evidence: ['quote = $2, row_id = uuidv7()', 'quote IS NOT NULL'],
    entity_mentions: ['quote = $2', 'quote IS NOT NULL'],
    relation_evidence: ['quote = $2', 'quote IS NOT NULL'],
    model_response_cache: ['response = $2', 'response IS NOT NULL'],
    project_glossaries: ['names = ARRAY[$2]', 'names IS NOT NULL'],
  } as const;
  for (const [table, [change]] of Object.entries(columns))
    await db.write(`UPDATE ${table} SET ${change} WHERE tenant_id = $1`, [mine.tenantId, text]);
  const left = async (user: TestUser) =>
    Promise.all(
      Object.entries(columns).map(async ([table, [, is]]) => [
        table,
        await count(table, `t.tenant_id = $1 AND t.${is}`, [user.tenantId]),
      ]),
    );
  const before = await left(other);
  const ids = await db.database.asTenant(mine.tenantId, (transaction) => findBeside(transaction, mine.tenantId, text));
  const names = ids.map((id) => erasedName('beside', id));
  await replayErasures(all, [entry('text', mine, names)]);
  expect(await left(mine)).toEqual(before.map(([table]) => [table, 0]));
  expect(await left(other)).toEqual(before);
});

test('copies tombstones of the running database to the older copy, and deletes what they name', async () => {
  const mine = await seedTenant(db);
  await captureEvents(db.database.pool, [event(mine, 'copied', [promptPart('An older copy has this')])]);
  const rows = await db.rows<{ host: string; key: string; sha: string }>(
    `SELECT s.host, k.key, encode(p.sha256, 'hex') AS sha FROM sessions s JOIN capture_keys k ON k.session_id = s.id JOIN prompts p ON p.id = k.row_id WHERE s.external_id = 'copied' AND s.tenant_id = $1`,
    [mine.tenantId],
  );
  const hashed = async (text: string) =>
    (await db.rows<{ h: Buffer }>("SELECT sha256(convert_to($1, 'UTF8')) AS h", [text]))[0]?.h ?? Buffer.alloc(0);
  const summary = await idOf('summaries', mine.tenantId);
  const place = { tenantId: mine.tenantId, host: rows[0]?.host ?? '', externalId: 'copied', userId: mine.userId };
  const counts = await replayErasures(
    all,
    [],
    [
      { ...place, keySha256: await hashed(`content:${rows[0]?.sha ?? ''}`) },
      { tenantId: mine.tenantId, host: '', externalId: '', userId: NO_USER, keySha256: await hashed(`row:${summary}`) },
      {
        tenantId: newId(),
        host: 'missing',
        externalId: 'missing',
        userId: NO_USER,
        keySha256: await hashed('session'),
      },
    ],
  );
  expect(counts).toMatchObject({ prompts: 1, summaries: 1 });
  expect(await count('summaries', 't.id = $1', [summary])).toBe(0);
  expect(await count('prompts', "t.content = 'An older copy has this'", [])).toBe(0);
});

test('searches every column that may contain text', async () => {
  const withoutContent = new Set([
    'consistency_checks',
    'stats_snapshots',
    'imported_rows',
    'erasures',
    'exports',
    'imports',
    'settings',
    'users',
    'api_keys',
    'projects',
    'project_aliases',
  ]);
  const missing = (await tenantTables(all)).flatMap(({ name, columns }) =>
    columns
      .filter(
        ({ type, name: column }) =>
          ['jsonb', 'text[]'].includes(type) && !withoutContent.has(name) && column !== 'search',
      )
      .filter(({ name: column }) => CONTENT_COLUMNS[name]?.[column] === undefined)
      .map(({ name: column }) => `${name}.${column}`),
  );
  // Counts, hashes and words that Recollect generates.
  expect(missing.sort()).toEqual([
    'archives.counts',
    'archives.full_value_sha256',
    'contexts.item_passages',
    'contexts.item_reasons',
    'contexts.item_types',
    'gdpr_requests.receipt',
    'model_response_cache.unreadable',
    'oauth_grants.scopes',
    'observations.redactions',
    'prompts.redactions',
    'retention_runs.cursor',
    'stream_events.data',
    'system_alerts.details',
    'transcript_files.counts',
    'user_sessions.methods',
  ]);
});
