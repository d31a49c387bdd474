import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../../cli/program.ts';
import { daysAgo, makeOldSession } from '../../activities/retention/support/old-rows.ts';
import type { OldSession } from '../../activities/retention/support/old-rows.ts';
import { recordOutput } from '../../cli/support/output.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { scraped } from '../../setup/scraped.ts';
import { untilTrue } from '../../setup/until.ts';

const PATIENCE_MS = 120_000;
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-retention-api-'));
const dataDir = path.join(folder, 'data');
let stranger: TestUser;
let old: OldSession;
let older: OldSession;

/** Runs a command in this process, on a terminal without input. */
async function run(...args: string[]): Promise<{ code: number | undefined; text: string; errors: string }> {
  const context = recordOutput({ HOME: '/nonexistent' });
  let code: number | undefined;
  await createProgram(context, (given) => {
    code = given;
  }).parseAsync([...args, '--data-dir', dataDir], { from: 'user' });
  return { code, text: context.text(), errors: context.errors() };
}

// Runs last, after the instance is closed.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const instance = fileInstance({ RECOLLECT_ARCHIVE_STORE: path.join(folder, 'archive') });

beforeAll(async () => {
  await instance.startWorker();
  stranger = await instance.stranger({ role: 'admin' });
  old = await makeOldSession(instance.db, instance.admin, { at: daysAgo(100), rows: 2 });
  older = await makeOldSession(instance.db, instance.admin, { at: daysAgo(400), rows: 3 });
  await makeOldSession(instance.db, stranger, { at: daysAgo(400), rows: 2 });
  mkdirSync(dataDir, { recursive: true });
  const credentials = JSON.stringify({ url: instance.url, api_key: instance.admin.key });
  writeFileSync(path.join(dataDir, 'credentials.json'), credentials);
});

const idIn = (text: string): string => /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0] ?? '';
const runId = (text: string): string => idIn(/Run (\S+):/.exec(text)?.[1] ?? '');

async function prompts(session: OldSession): Promise<number> {
  const rows = await instance.rows('SELECT FROM prompts WHERE session_id = $1', [session.id]);
  return rows.length;
}

describe('retention', { timeout: PATIENCE_MS * 2 }, () => {
  test('a policy deletes nothing before its dry run was approved', async () => {
    const set = await run('retention', 'set', 'prompt', 'delete', '90d');
    expect(set.text).toMatch(/prompt +every project +every class +90 d +delete/);
    expect(set.text).toContain('the policies delete nothing until');
    expect(await run('retention', 'run')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('DRY_RUN_REQUIRED'),
    });
    const dry = await run('retention', 'dry-run');
    expect(dry).toMatchObject({ code: 0, text: expect.stringMatching(/prompt +delete +\d{4}-\d\d +internal +- +3 /) });
    expect(dry.text).toContain('5 rows would be removed');
    expect(await prompts(old)).toBe(2);
    expect(await run('retention', 'approve', runId(dry.text))).toMatchObject({ code: 0 });
    // A legal hold changes the result of no policy, and requires another dry run.
    const hold = await run('legal-hold', 'add', 'session', older.id, '--reason', 'a case');
    expect((await run('legal-hold', 'list')).text).toMatch(/session .*a case/);
    expect(await instance.delete(`/sessions/${older.id}`)).toMatchObject({ status: 409, body: { code: 'LEGAL_HOLD' } });
    expect(await instance.delete(`/events/${older.prompts[0]}`)).toMatchObject({
      status: 409,
      body: { code: 'LEGAL_HOLD', details: [{ field: 'hold', id: idIn(hold.text) }] },
    });
    expect((await run('retention', 'run')).errors).toContain('DRY_RUN_REQUIRED');
    const again = await run('retention', 'dry-run');
    expect(again.text).toContain('2 rows would be removed');
    expect((await instance.post(`/admin/retention/runs/${runId(dry.text)}/approve`)).body).toMatchObject({
      code: 'CONFLICT',
    });
    await run('retention', 'approve', runId(again.text));
    // Rows are counted from the first read on.
    await scraped(instance, /^recollect_instance_read_timestamp_seconds \d/m);
    const done = await run('retention', 'run');
    expect(done).toMatchObject({ code: 0, text: expect.stringContaining('2 rows removed') });
    expect([await prompts(old), await prompts(older)]).toEqual([0, 3]);
    await scraped(instance, /^recollect_retention_rows_total\{type="prompt",action="delete"\} 2$/m);
    expect((await run('retention', 'runs')).text).toMatch(/dry run +completed +2 .*\n.*dry run +completed +5 /);
    expect((await run('legal-hold', 'release', idIn(hold.text))).code).toBe(0);
    // Temporal lists a workflow a moment later.
    const listed = async () => (await run('jobs', '--kind', 'retention')).text;
    await expect.poll(listed).toContain(`retention.${runId(done.text)}`);
  });

  test('an archived session is found by its words, listed as archived, and brought back', async () => {
    await run('retention', 'set', 'prompt', 'keep', '--remove');
    await run('retention', 'set', 'session', 'archive', '365');
    const dry = await run('retention', 'dry-run');
    expect(dry.text).toMatch(/session +archive .* 1 /);
    await run('retention', 'approve', runId(dry.text));
    expect((await run('retention', 'run')).text).toContain('1 rows removed');
    expect(await prompts(older)).toBe(0);
    const listed = await instance.get('/sessions?status=archived');
    expect(listed.body).toMatchObject({ data: [{ id: older.id, status: 'archived' }] });
    expect((await instance.get('/archives?q=linker', stranger.key)).body).toMatchObject({ data: [] });
    expect((await run('archive', 'list', 'nothing', 'such')).text).toBe('No archived sessions.\n');
    const found = await run('archive', 'list', 'linker');
    expect(found.text).toContain('Mending the build');
    const archive = `/archives/${idIn(found.text)}/restore`;
    expect(await instance.post(archive, undefined, stranger.key)).toMatchObject({ status: 404 });
    expect((await run('archive', 'restore', idIn(found.text))).text).toContain('retention.');
    await untilTrue(
      async () => ((await instance.get('/archives')).body as { data: unknown[] }).data.length === 0,
      PATIENCE_MS,
    );
    expect(await prompts(older)).toBe(3);
    expect((await instance.get(`/sessions/${older.id}`)).body).toMatchObject({ status: 'ended' });
    expect((await instance.post(archive)).status).toBe(404);
  });

  test('refuses what cannot be, naming the field', async () => {
    const put = (policies: unknown[], more: object = {}) =>
      instance.put('/admin/retention/policies', { policies, ...more });
    const policy = { resource: 'prompt', age_days: 30, action: 'delete' };
    for (const [given, field] of [
      [[{ ...policy, action: 'archive' }], 'policies.0.action'],
      [[policy, { ...policy, resource: 'usage', project: older.id }], 'policies.1.project'],
      [[{ ...policy, project: older.id }], 'policies.0.project'],
      [[{ ...policy, resource: 'session', data_class: 'public' }], 'policies.0.data_class'],
      [[policy, { ...policy, age_days: 31 }], 'policies.1'],
      [[{ ...policy, age_days: 0 }], 'policies.0.age_days'],
      [Array.from({ length: 201 }, () => policy), 'policies'],
    ] as const)
      expect(await put([...given])).toMatchObject({
        status: 422,
        body: { details: [{ field: expect.stringContaining(field) }] },
      });
    expect(await put([], { hash: 'another' })).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    const hold = (body: object) => instance.post('/admin/legal-holds', { reason: 'a case', ...body });
    expect(await hold({ subject: 'user' })).toMatchObject({ status: 422, body: { details: [{ field: 'id' }] } });
    expect((await hold({ subject: 'user', id: stranger.userId })).status).toBe(404);
    expect((await hold({ subject: 'tenant', id: stranger.tenantId })).status).toBe(404);
    for (const one of ['/admin/retention/runs/', '/admin/legal-holds/'])
      expect((await instance.call(one.includes('legal-holds') ? 'DELETE' : 'GET', `${one}${older.id}`)).status).toBe(
        404,
      );
    const user = await instance.user();
    for (const [method, where] of [
      ['GET', '/admin/retention/policies'],
      ['POST', '/admin/retention'],
      ['POST', `/archives/${older.id}/restore`],
    ] as const)
      expect(
        (await instance.call(method, where, { key: user.key, ...(method === 'GET' ? {} : { body: {} }) })).status,
      ).toBe(403);
  });
});
