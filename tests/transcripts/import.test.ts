import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { importSchema } from '../../contract/imports.ts';
import { transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { replay, sessionOf } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { ApiAnswer, TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { hooksOf, sources, storedRows } from './compare.ts';
import { BEING_WRITTEN_MS, transcriptFolderOf } from './folder.ts';
import type { TranscriptFolder } from './folder.ts';

let folder: TranscriptFolder;
let elsewhere: TranscriptFolder;
let instance: TestInstance;

beforeAll(async () => {
  folder = transcriptFolderOf();
  elsewhere = transcriptFolderOf();
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPT_ROOTS: folder.root });
  await replay(instance, hooksOf('control'));
});
afterAll(async () => {
  await instance.close();
  folder.remove();
  elsewhere.remove();
});

type Job = z.output<typeof importSchema>;

async function ask(body: Record<string, unknown> = {}): Promise<Job> {
  const answer = await instance.call('POST', '/imports', { body: { kind: 'transcripts', ...body } });
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
  return importSchema.parse(answer.body);
}

async function look(id: string): Promise<Job> {
  return importSchema.parse((await instance.call('GET', `/imports/${id}`)).body);
}

function ended(id: string): Promise<Job> {
  return until(
    async () => {
      const job = await look(id);
      return job.state === 'running' ? undefined : job;
    },
    120_000,
    'the import',
  );
}

describe('an import by the server', { timeout: 300_000 }, () => {
  test('reads every transcript of its folder once, then only new lines', async () => {
    const hooks = hooksOf('imported');
    const known = hooks.filter((_hook, index) => index % 3 !== 0);
    await replay(instance, known);
    folder.write('-src-a/imported.jsonl', transcriptOf(hooks));
    const agent = transcriptOf(hooks, { agents: true }).filter((line) => line['isSidechain'] === true);
    folder.write('-src-a/imported/subagents/agent-aa7c31f9e.jsonl', agent, 3 * 24 * 3_600_000);
    folder.write('-src-b/unseen.jsonl', [
      ...transcriptOf(hooksOf('unseen')),
      '{"type":"user","mess',
      'nonsense',
      { type: 'novelty' },
    ]);
    folder.write('-src-b/busy.jsonl', transcriptOf(hooksOf('busy')), BEING_WRITTEN_MS);
    const stop = await instance.startWorker();
    const job = await ask();
    expect(job).toMatchObject({ state: 'running', directory: folder.root, follow: false });
    const done = await ended(job.id);
    expect(done).toMatchObject({
      state: 'completed',
      error: null,
      files: { total: 4, done: 3, unchanged: 0, waiting: 1, unreadable: 0 },
      counts: { late_duplicates: 0, refused: 0, truncated: 1, not_json: 1, unknown_type: 1 },
    });
    expect(done.counts.added).toBeGreaterThan(80);
    expect(done.counts.present).toBeGreaterThan(30);
    const control = await storedRows(instance, 'control');
    const imported = await storedRows(instance, 'imported');
    expect(imported.prompts).toEqual(control.prompts);
    expect(imported.observations).toEqual(control.observations);
    expect(await sources(instance, 'busy')).toEqual({});

    const again = await ended((await ask()).id);
    expect(again).toMatchObject({
      files: { total: 4, done: 0, unchanged: 3, waiting: 1 },
      counts: { lines: 0, added: 0 },
    });
    expect(again.id).not.toBe(job.id);

    // The session has ended: its workflow summarises it.
    const end = await instance.rows(
      "SELECT b.kind FROM sessions s JOIN boundaries b ON b.session_id = s.id AND b.seq = s.last_seq WHERE s.external_id = 'unseen'",
    );
    expect(end).toEqual([{ kind: 'session_end' }]);
    await until(
      async () => (await sessionOf(instance, 'claude-code:unseen')).counts.summaries > 0 || undefined,
      120_000,
      'a summary',
    );

    // The file grew: only new lines are read.
    const more = { ...transcriptOf(hooksOf('unseen'))[0], uuid: 'unseen-more', timestamp: '2026-04-13T09:00:00.000Z' };
    folder.write('-src-b/unseen.jsonl', [
      ...transcriptOf(hooksOf('unseen')),
      '{"type":"user","mess',
      'nonsense',
      { type: 'novelty' },
      more,
    ]);
    const grown = await ended((await ask()).id);
    expect(grown).toMatchObject({ files: { done: 1, unchanged: 2 }, counts: { lines: 1, added: 1, present: 0 } });
    await stop();
  });

  test('runs once for two requests; when cancelled, its state and workflow end', async () => {
    const [one, two] = await Promise.all([ask({ follow: true }), ask({ follow: true })]);
    expect(two.id).toBe(one.id);
    const stop = await instance.startWorker();
    const handle = instance.temporal.workflow.getHandle(`job/import/${one.id}`);
    await until(
      async () => ((await handle.query<{ steps: number }>('progress').catch(() => null))?.steps ?? 0) > 0 || undefined,
    );
    expect((await look(one.id)).state).toBe('running');
    const answer = await instance.call('POST', `/imports/${one.id}/cancel`);
    expect(answer.status).toBe(202);
    expect((await ended(one.id)).state).toBe('cancelled');
    await expect(handle.result()).rejects.toThrow(/cancel/i);
    await stop();
    expect((await ask({ follow: true })).id).not.toBe(one.id);
  });
});

describe('folders and permissions', () => {
  const refused = async (body: Record<string, unknown>, options: Record<string, unknown> = {}): Promise<ApiAnswer> =>
    instance.call('POST', '/imports', { body: { kind: 'transcripts', ...body }, ...options });

  test.each([
    ['a relative path', () => 'projects', 'absolute'],
    ['a folder elsewhere', () => elsewhere.root, 'may read'],
    ['one that does not exist elsewhere', () => path.join(elsewhere.root, 'nothing'), 'may read'],
    ['the root of the machine', () => '/', 'may read'],
    ['a way out', () => `${folder.root}/../${path.basename(elsewhere.root)}`, 'may read'],
    ['a neighbour of the same beginning', () => `${folder.root}-more`, 'may read'],
    ['one that does not exist in the root', () => path.join(folder.root, 'nothing'), 'does not exist'],
    ['a text with a NUL', () => `${folder.root}/\u0000`, ''],
  ])('%s is rejected with the field', async (_what, directory, message) => {
    const answer = await refused({ directory: directory() });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'VALIDATION_FAILED', details: [{ field: 'directory' }] },
    });
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  test('rejects a link out of the roots and follows no links in the folder', async () => {
    const secret = elsewhere.write('secret/secret.jsonl', transcriptOf(hooksOf('secret')));
    symlinkSync(path.dirname(secret), path.join(folder.root, 'way-out'));
    expect(await refused({ directory: path.join(folder.root, 'way-out') })).toMatchObject({ status: 422 });
    mkdirSync(path.join(folder.root, '-src-c'), { recursive: true });
    symlinkSync(secret, path.join(folder.root, '-src-c', 'secret.jsonl'));
    const stop = await instance.startWorker();
    const job = await ended((await ask()).id);
    expect(job.files.total).toBe(4);
    expect(await sources(instance, 'secret')).toEqual({});
    await stop();
  });

  test('allows admins with the scope alone, never through a proxy', async () => {
    const plain = await instance.user();
    const capturing = await instance.stranger({ role: 'admin', scopes: ['capture', 'read'] });
    for (const options of [
      { key: plain.key },
      { key: capturing.key },
      { headers: { 'x-forwarded-for': '203.0.113.7' } },
    ])
      expect(await refused({}, options)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await refused({}, { key: null })).toMatchObject({ status: 401 });
  });

  test('shows an import to its tenant alone', async () => {
    const job = await ask();
    const stranger = await instance.stranger({ role: 'admin' });
    const colleague = await instance.user();
    for (const key of [stranger.key, colleague.key]) {
      expect(await instance.call('GET', `/imports/${job.id}`, { key })).toMatchObject({ status: 404 });
      expect(await instance.call('POST', `/imports/${job.id}/cancel`, { key })).toMatchObject({ status: 404 });
    }
    await instance.call('POST', `/imports/${job.id}/cancel`);
  });

  test.each([
    [{ kind: 'everything' }, 'kind'],
    [{ directory: '' }, 'directory'],
    [{ directory: 'x'.repeat(5_000) }, 'directory'],
    [{ follow: 'yes' }, 'follow'],
    [{ depth: 3 }, 'depth'],
  ])('rejects invalid input: %j', async (body, field) => {
    const answer = await refused(body);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain(field);
  });
});
