import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { importSchema } from '../../contract/imports.ts';
import { ImportApi } from '../../cli/import/import-api.ts';
import { streamDatabase } from '../../cli/import/stream-database.ts';
import { createProgram } from '../../cli/program.ts';
import { openClaudeMem } from '../../stores/claude-mem/source.ts';
import { isBurst } from '../../stores/postgres/capture/burst-flag.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until, untilTrue } from '../setup/until.ts';
import { recordOutput } from '../cli/support/output.ts';
import { buildClaudeMem } from './build-database.ts';
import type { Generation } from './build-database.ts';
import { BEGAN, insertSample } from './sample-rows.ts';

const PATIENCE_MS = 240_000;
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-test-claude-mem-'));
let instance: TestInstance;

beforeAll(async () => {
  instance = await startTestInstance({ RECOLLECT_CLAUDE_MEM_ROOTS: folder });
});
afterAll(async () => {
  await instance.close();
  rmSync(folder, { recursive: true, force: true });
});

function sample(name: string, generation: Generation = 49): string {
  const file = path.join(folder, `${name}.db`);
  const database = buildClaudeMem(file, generation, name);
  insertSample(database, name);
  database.close();
  return file;
}

const rowsOf = async (sql: string, values: readonly unknown[] = []) =>
  z.array(z.record(z.string(), z.unknown())).parse(await instance.rows(sql, [...values]));

/** All that an import wrote, ids left out: what two ways of importing have in common. */
const written = (name: string) =>
  rowsOf(
    `SELECT s.host, replace(s.external_id, $1, '') AS session, u.type, u.kind, u.title, u.content, u.version, u.published, u.input_tokens, u.occurred_at FROM summaries u JOIN sessions s ON s.id = u.session_id
      WHERE s.external_id LIKE '%' || $1 || '%' AND u.slot LIKE 'claude-mem:%' ORDER BY u.occurred_at, u.type, u.slot`,
    [name],
  );

async function send(
  file: string,
  dryRun = false,
  key = instance.admin.key,
  onProgress: (rows: { readonly done: number }) => void = () => undefined,
) {
  const signal = new AbortController().signal;
  const source = await openClaudeMem(file);
  try {
    const api = new ImportApi({ url: instance.url, apiKey: key }, signal);
    return await streamDatabase({ api, source, dryRun, signal, onProgress });
  } finally {
    await source.close();
  }
}

/** Runs the command in this process; returns exit code and output. */
async function command(args: readonly string[], environment: Record<string, string> = {}) {
  const context = recordOutput({ HOME: folder, ...environment });
  let exitCode: number | undefined;
  await createProgram(context, (code) => {
    exitCode = code;
  }).parseAsync(['import', 'claude-mem', ...args], { from: 'user' });
  return { exitCode, output: context.text() + context.errors() };
}

const table = (tables: readonly { readonly table: string }[] | null, name: string) =>
  tables?.find((one) => one.table === name);

// A minute on a busy machine.
test('the server imports every row once and reports each difference', { timeout: 480_000 }, async () => {
  const file = sample('served');
  const stop = await instance.startWorker();
  const environment = { RECOLLECT_URL: instance.url, RECOLLECT_API_KEY: instance.admin.key };
  const dry = await command([file, '--dry-run'], environment);
  expect(dry).toMatchObject({ exitCode: 0, output: expect.stringContaining('Nothing was written.') });
  expect(await rowsOf("SELECT 1 FROM sessions WHERE external_id LIKE 'served%'")).toEqual([]);

  const started = importSchema.parse(
    (await instance.call('POST', '/imports', { body: { kind: 'claude-mem', file } })).body,
  );
  const job = await until(async () => {
    const now = importSchema.parse((await instance.call('GET', `/imports/${started.id}`)).body);
    return now.state === 'running' ? undefined : now;
  }, PATIENCE_MS);
  expect(job).toMatchObject({
    state: 'completed',
    kind: 'claude-mem',
    rows: { total: 24, done: 24, sessions_made: 1, first_prompts: 1 },
  });
  const none = { private: 0, empty: 0, observer: 0, processed: 0, no_event: 0 };
  expect(job.tables).toEqual([
    {
      table: 'sdk_sessions',
      source_rows: 6,
      imported: 5,
      present: 0,
      refused: 0,
      dropped: { ...none, observer: 1 },
      recorded_rows: 5,
      unaccounted: 0,
    },
    {
      table: 'user_prompts',
      source_rows: 4,
      imported: 3,
      present: 0,
      refused: 0,
      dropped: { ...none, private: 1 },
      recorded_rows: 3,
      unaccounted: 0,
    },
    {
      table: 'observations',
      source_rows: 7,
      imported: 5,
      present: 0,
      refused: 0,
      dropped: { ...none, observer: 1, empty: 1 },
      recorded_rows: 5,
      unaccounted: 0,
    },
    {
      table: 'session_summaries',
      source_rows: 3,
      imported: 2,
      present: 0,
      refused: 0,
      dropped: { ...none, empty: 1 },
      recorded_rows: 2,
      unaccounted: 0,
    },
    {
      table: 'pending_messages',
      source_rows: 4,
      imported: 2,
      present: 0,
      refused: 0,
      dropped: { ...none, processed: 1, no_event: 1 },
      recorded_rows: 2,
      unaccounted: 0,
    },
  ]);

  const [session] = await rowsOf(
    "SELECT s.*, p.display_name, a.alias FROM sessions s JOIN projects p ON p.id = s.project_id JOIN project_aliases a ON a.project_id = p.id WHERE external_id = 'served-1'",
  );
  expect(session).toMatchObject({
    host: 'claude-code',
    title: 'The slow cart',
    status: 'ended',
    phase: 'settled',
    display_name: 'shop',
    alias: 'name:shop',
    prompt_count: 2,
    workflow_id: null,
    started_at: new Date(BEGAN + 60_000),
  });
  expect([session?.['consumed_seq'], session?.['windowed_seq'], session?.['learned_seq']]).toEqual([2, 2, 2]);
  const [item] = await rowsOf("SELECT * FROM summaries WHERE slot LIKE '%:observations:1' AND title = 'Finding 1'");
  expect(item).toMatchObject({
    type: 'item',
    kind: 'bugfix',
    content:
      'in short\nThe turbocart read each price 1 times [private]\ngotcha: prices are read once a line, not once a cart',
    key_points: [
      { text: 'a fact', evidence: [] },
      { text: 'another fact', evidence: [] },
    ],
    tags: ['performance', 'gotcha'],
    files_read: ['src/cart.ts'],
    files_modified: ['src/price.ts'],
    model: 'claude-haiku',
    input_tokens: 700,
    occurred_at: new Date(BEGAN + 5 * 60_000),
    created_at: new Date(BEGAN + 5 * 60_000),
  });
  expect(item?.['metadata']).toMatchObject({
    claude_mem: {
      content_hash: 'hash-1',
      agent_id: 'agent-7',
      agent_type: 'Explore',
      metadata: { tool: 'Edit' },
      text: 'Legacy words 1 of the turbocart',
    },
    redactions: { private: 1 },
  });
  expect(
    (await written('served')).map(({ host, session: name, kind, version, published, input_tokens: tokens }) => [
      host,
      name,
      kind,
      version,
      published,
      tokens,
    ]),
  ).toMatchObject([
    ['claude-code', '-1', 'bugfix', 1, true, 700],
    ['claude-code', '-1', 'sorcery', 1, true, 0],
    ['claude-code', '-1', null, 1, false, 0],
    ['claude-code', '-1', 'bugfix', 1, true, 40],
    ['claude-code', expect.stringMatching(/^claude-mem:[0-9a-f]{32}:-deleted$/), 'bugfix', 1, true, 700],
    ['claude-code', '-1', null, 2, true, 700],
  ]);
  const [moved] = await rowsOf(
    "SELECT p.display_name FROM summaries u JOIN projects p ON p.id = u.project_id WHERE u.slot LIKE '%:observations:4'",
  );
  expect(moved).toEqual({ display_name: 'shop-main' });
  const prompts = await rowsOf(
    "SELECT p.content, k.source, p.search IS NOT NULL AS searched, s.host FROM prompts p JOIN sessions s ON s.id = p.session_id JOIN capture_keys k ON k.row_id = p.id WHERE s.external_id LIKE 'served-%' AND p.type = 'user' ORDER BY s.external_id, p.seq",
  );
  expect(prompts).toEqual([
    { content: 'Make the cart faster', source: 'import', searched: true, host: 'claude-code' },
    {
      content: expect.stringMatching(/^Now key=\[redacted:[\w-]+\] please$/),
      source: 'import',
      searched: true,
      host: 'claude-code',
    },
    { content: 'Only with the session', source: 'import', searched: true, host: 'codex-cli' },
    { content: 'What is left over', source: 'import', searched: expect.anything(), host: 'claude-code' },
  ]);
  const notes = await rowsOf(
    'SELECT l.title, l.description, l.origin, p.display_name FROM learnings l LEFT JOIN projects p ON p.id = l.project_id',
  );
  expect(notes).toEqual([
    {
      title: 'Deploy on Tuesdays (served)',
      description: 'The warehouse closes on Mondays',
      origin: 'user',
      display_name: 'shop',
    },
  ]);
  // What was never processed goes through our own pipeline, to its end.
  const own = await until(async () => {
    const found = await rowsOf(
      "SELECT u.type FROM summaries u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = 'served-6' AND s.phase = 'settled' AND u.slot NOT LIKE 'claude-mem:%'",
    );
    return found.length > 0 ? found : undefined;
  }, PATIENCE_MS);
  expect(own.map(({ type }) => type)).toContain('session');
  expect(
    await rowsOf("SELECT 1 FROM summaries WHERE content LIKE '%quixotic%' OR content LIKE '%hidden thing%'"),
  ).toEqual([]);
  expect(await rowsOf("SELECT 1 FROM prompts WHERE content LIKE '%quixotic%' OR content LIKE '%AKIA%'")).toEqual([]);
  const search = await instance.call('GET', '/search?q=turbocart+prices+read');
  expect(JSON.stringify(search.body)).toContain('Finding 1');
  await stop();
});

test("a repeated import adds new rows once and retains users' changes", async () => {
  const before = await written('served');
  await instance.write("DELETE FROM summaries WHERE slot LIKE '%:observations:2'");
  await instance.write("UPDATE sessions SET title = 'Mine' WHERE external_id = 'served-1'");
  await instance.write(
    "UPDATE learnings SET title = 'Mine', description = 'Edited' WHERE description LIKE 'The warehouse%'",
  );
  const again = await send(path.join(folder, 'served.db'));
  expect(
    again.tables.map(({ source_rows, imported, present, unaccounted }) => [
      source_rows,
      imported,
      present,
      unaccounted,
    ]),
  ).toEqual([
    [6, 0, 5, 0],
    [4, 0, 3, 0],
    [7, 0, 5, 0],
    [3, 0, 2, 0],
    [4, 0, 2, 0],
  ]);
  expect(await written('served')).toEqual(before.filter(({ kind }) => kind !== 'sorcery'));
  expect(await rowsOf("SELECT title FROM sessions WHERE external_id = 'served-1'")).toEqual([{ title: 'Mine' }]);
  expect(await rowsOf('SELECT description FROM learnings')).toEqual([{ description: 'Edited' }]);
});

test('rows sent by a client become the same as those read by the server', async () => {
  const user = await instance.stranger({ role: 'admin' });
  const file = sample('remote');
  expect((await send(file, true, user.key)).tables.map(({ imported }) => imported)).toEqual([5, 3, 5, 2, 2]);
  expect(await written('remote')).toEqual([]);
  // Ended after its observations: imported rows remain, the next import adds the rest.
  const ended = send(file, false, user.key, ({ done }) => {
    if (done > 15) throw new Error('ended half-way');
  });
  await expect(ended).rejects.toThrow('ended half-way');
  const sent = await send(file, false, user.key);
  expect(sent.tables.map(({ imported, present }) => [imported, present])).toEqual([
    [0, 5],
    [0, 3],
    [0, 5],
    [2, 0],
    [2, 0],
  ]);
  expect(table(sent.tables, 'observations')).toMatchObject({ recorded_rows: 5, unaccounted: 0 });
  const served = sample('twin');
  await send(served, false, instance.admin.key);
  const plain = (name: string) => async () =>
    JSON.stringify((await written(name)).map((row) => ({ ...row, session: '' })));
  expect(await plain('remote')()).toEqual(await plain('twin')());
});

test('an import counts as a burst and defers the work that it causes', async () => {
  const user = await instance.stranger({ role: 'admin' });
  const row = (id: number) =>
    JSON.stringify({
      id,
      memory_session_id: 'burst',
      project: 'shop',
      type: 'feature',
      title: `Words ${id} of it`,
      created_at_epoch: BEGAN,
    });
  const post = (query: string, batch = 0) =>
    instance.call('POST', `/imports/claude-mem/rows?source=${'f'.repeat(32)}&table=observations${query}`, {
      raw: Array.from({ length: 300 }, (_, n) => row(batch * 300 + n + 1)).join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
      key: user.key,
    });
  const flooding = () => isBurst(instance.db.maintenance);
  await until(async () => ((await flooding()) ? undefined : true));
  expect(await post('&dry_run=true')).toMatchObject({ status: 200, body: { rows: 300 } });
  expect(await flooding()).toBe(false);
  // Another connection shows the burst, for a moment: on a busy machine a look may come too late for one.
  const look = { isOver: false };
  const seen = untilTrue(flooding).finally(() => {
    look.isOver = true;
  });
  for (let batch = 0; !look.isOver; batch += 1)
    expect(await post('', batch)).toMatchObject({ status: 200, body: { rows: 300 } });
  await seen;
  await until(async () => ((await flooding()) ? undefined : true));
});

test('recognises hook rows, imports no forgotten session, and imports old databases', async () => {
  const hook = (event: string, more: object) =>
    instance.call('POST', `/hooks/${event}`, {
      body: { hook_event_name: event, session_id: 'hooked-1', cwd: '/src/shop', ...more },
    });
  await hook('UserPromptSubmit', { prompt: 'Make the cart faster' });
  const file = sample('hooked');
  await send(file);
  expect(
    await rowsOf(
      "SELECT p.content FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = 'hooked-1' ORDER BY p.seq",
    ),
  ).toHaveLength(2);
  // It lives here: the other prompt is left to its workflow.
  expect(
    await rowsOf("SELECT status, last_seq - consumed_seq > 0 AS waits FROM sessions WHERE external_id = 'hooked-1'"),
  ).toEqual([{ status: 'active', waits: true }]);
  // Its summaries belong to its project, which has more aliases than a folder's basename.
  expect(
    await rowsOf(
      "SELECT count(*)::integer AS written, count(*) FILTER (WHERE u.project_id = s.project_id)::integer AS placed FROM summaries u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = 'hooked-1'",
    ),
  ).toEqual([{ written: 5, placed: 5 }]);

  await instance.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 'twin-1'");
  await instance.write("DELETE FROM imported_rows WHERE source_table = 'observations' AND tenant_id = $1", [
    instance.admin.tenantId,
  ]);
  const refused = await send(path.join(folder, 'twin.db'));
  expect(table(refused.tables, 'observations')).toMatchObject({ refused: 3, unaccounted: 0 });

  const old = await send(sample('ancient', 4));
  expect(old.tables.map(({ source_rows, unaccounted }) => [source_rows, unaccounted])).toEqual([
    [6, 0],
    [0, 0],
    [7, 0],
    [3, 0],
    [0, 0],
  ]);
  expect((await written('ancient')).find(({ type }) => type === 'item')).toMatchObject({
    title: 'Legacy words 1 of the turbocart',
    content: 'Legacy words 1 of the turbocart',
  });
});

test('rejects other files and names the field', async () => {
  const post = (query: string, raw: string) =>
    instance.call('POST', `/imports/claude-mem/rows?${query}`, {
      raw,
      headers: { 'content-type': 'application/x-ndjson' },
    });
  const source = 'a'.repeat(32);
  expect(await post(`source=${source}&table=observations`, '{"id":"x"}')).toMatchObject({
    status: 422,
    body: { details: [{ field: 'id' }] },
  });
  expect(await post(`source=${source}&table=users`, '{}')).toMatchObject({
    status: 422,
    body: { details: [{ field: 'table' }] },
  });
  expect(await post(`source=odd&table=observations`, '{}')).toMatchObject({ status: 422 });
  expect(await post(`source=${source}&table=observations`, '{\n{')).toMatchObject({ status: 400 });
  expect(await post(`source=${source}&table=observations`, '{"id":1}\n'.repeat(1_001))).toMatchObject({
    status: 422,
    body: { details: [{ field: 'body' }] },
  });
  expect(await instance.call('POST', '/imports', { body: { kind: 'claude-mem', file: '/etc/passwd' } })).toMatchObject({
    status: 422,
    body: { details: [{ field: 'file', message: expect.stringContaining('RECOLLECT_CLAUDE_MEM_ROOTS') }] },
  });
  const failed = await command([path.join(folder, 'absent')]);
  expect(failed).toMatchObject({ exitCode: 1, output: expect.stringContaining('No claude-mem.db found') });
});
