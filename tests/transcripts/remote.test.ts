import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cursorSchema } from '../../contract/imports.ts';
import { ImportApi } from '../../cli/import/import-api.ts';
import { streamTranscripts } from '../../cli/import/stream-import.ts';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { bytesOf, transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { replay } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { hooksOf, sources, storedRows } from './compare.ts';
import { BEING_WRITTEN_MS, transcriptFolderOf } from './folder.ts';
import type { TranscriptFolder } from './folder.ts';

let folder: TranscriptFolder;
let instance: TestInstance;

beforeAll(async () => {
  folder = transcriptFolderOf();
  // The server may read no folder of this machine.
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPT_ROOTS: '/nonexistent' });
  await replay(instance, hooksOf('control'));
});
afterAll(async () => {
  await instance.close();
  folder.remove();
});

const never = new AbortController().signal;
const send = (signal = never, key = instance.admin.key) =>
  streamTranscripts({
    api: new ImportApi({ url: instance.url, apiKey: key }, signal),
    folder: folder.root,
    signal,
    onProgress: () => {},
  });

const query = (more: Record<string, string> = {}) =>
  new URLSearchParams({
    machine: 'm',
    path: 'a/piece.jsonl',
    fingerprint: 'f',
    offset: '0',
    size: '10',
    modified_at: '2026-01-01T00:00:00Z',
    quiet_ms: '86400000',
    ...more,
  }).toString();
const post = (raw: string | Uint8Array<ArrayBuffer>, more: Record<string, string> = {}, key?: string) =>
  instance.call('POST', `/transcripts?${query(more)}`, {
    raw,
    headers: { 'content-type': 'application/x-ndjson' },
    ...(key === undefined ? {} : { key }),
  });

describe('a client that sends its transcripts', { timeout: 240_000 }, () => {
  test('adds rows that hooks missed and sends nothing twice', async () => {
    const hooks = hooksOf('remote');
    await replay(
      instance,
      hooks.filter((_hook, index) => index % 2 === 0),
    );
    folder.write('-src/remote.jsonl', transcriptOf(hooks, { agents: true }));
    folder.write('-src/busy.jsonl', transcriptOf(hooksOf('busy')), BEING_WRITTEN_MS);
    const first = await send();
    expect(first).toMatchObject({
      files: { total: 2, done: 1, unchanged: 0, waiting: 1 },
      counts: { refused: 0, late_duplicates: 0 },
    });
    expect(first.counts.added).toBeGreaterThan(20);
    const control = await storedRows(instance, 'control');
    const rows = await storedRows(instance, 'remote');
    expect(rows.prompts).toEqual(control.prompts);
    expect(rows.observations).toEqual(control.observations);
    expect((await sources(instance, 'remote'))['transcript']).toBeGreaterThan(20);

    expect(await send()).toMatchObject({
      files: { done: 0, unchanged: 1, waiting: 1 },
      counts: { lines: 0, added: 0 },
    });
  });

  test('resumes, and restarts for another file of the same name', async () => {
    const lines = transcriptOf(hooksOf('resumed'), { agents: true });
    folder.write('-src/resumed.jsonl', lines.slice(0, 50));
    const half = await send();
    folder.write('-src/resumed.jsonl', lines);
    const rest = await send();
    expect(half.counts.lines + rest.counts.lines).toBe(lines.length);
    expect((await storedRows(instance, 'resumed')).observations).toHaveLength(53);
    folder.write('-src/resumed.jsonl', lines.slice(2));
    expect((await send()).counts).toMatchObject({ lines: lines.length - 2, added: 0, late_duplicates: 0 });
  });

  test('sends a turn longer than a piece as a longer piece', async () => {
    const [prompt, use, result] = transcriptOf(hooksOf('long'));
    const output = 'x'.repeat(600_000);
    const calls = Array.from({ length: 20 }, (_, index) => [
      {
        ...use,
        uuid: `use-${index}`,
        message: {
          id: `m-${index}`,
          role: 'assistant',
          content: [{ type: 'tool_use', id: `long-${index}`, name: 'Bash', input: {} }],
        },
      },
      {
        ...result,
        uuid: `result-${index}`,
        toolUseResult: { stdout: output },
        message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: `long-${index}`, content: 'x' }] },
      },
    ]).flat();
    const all = [prompt ?? {}, ...calls];
    expect(bytesOf(all).length).toBeGreaterThan(9 * 1024 * 1024);
    folder.write('-src/long.jsonl', all);
    expect((await send()).counts).toMatchObject({ lines: 41, added: 22 });
  });

  test('stops when aborted; the next run sends the rest', async () => {
    folder.write('-src/stopped.jsonl', transcriptOf(hooksOf('stopped')));
    const stop = new AbortController();
    stop.abort();
    await expect(send(stop.signal)).rejects.toThrow(/abort|stopped/i);
    expect((await send()).files.done).toBe(1);
  });

  test('gets no duplicates of events that arrive after its transcript, for any user', async () => {
    const sender = await instance.user();
    const hooks = hooksOf('late');
    folder.write('-src/late.jsonl', transcriptOf(hooks, { agents: true }));
    await send(never, sender.key);
    const complete = await storedRows(instance, 'late');
    const events = hooks.flatMap((hook, index) => {
      const event = translateHook(hook.hook_event_name, hook, `late-${index}`);
      return event === null ? [] : [buildCaptureEvent({ ...event, source: 'spool' }, sender, new Date())];
    });
    await captureEvents(instance.db.database.pool, events);
    expect((await storedRows(instance, 'late')).prompts.length).toBeGreaterThan(complete.prompts.length);
    const stop = await instance.startWorker();
    await instance.temporal.workflow.execute('captureSweep', {
      workflowId: 'ops/capture-sweep/late',
      taskQueue: 'session',
      args: [],
    });
    await stop();
    expect((await storedRows(instance, 'late')).prompts).toEqual(complete.prompts);
    const seen = await instance.rows<{ seen: boolean }>(
      "SELECT f.seen_seq = s.last_seq AS seen FROM transcript_files f JOIN sessions s ON s.id = f.session_id WHERE s.external_id = 'late'",
    );
    expect(seen).toEqual([{ seen: true }]);
  });
});

describe('pieces of transcripts at the api', () => {
  test('separates the cursors of users', async () => {
    await post('nonsense\n', { size: '9' });
    const read = async (key: string) =>
      cursorSchema.parse((await instance.call('GET', '/transcripts?machine=m&path=a/piece.jsonl', { key })).body);
    expect(await read(instance.admin.key)).toMatchObject({ fingerprint: 'f', size: 9, offset: 9 });
    for (const user of [await instance.stranger(), await instance.user()])
      expect(await read(user.key)).toMatchObject({ fingerprint: null, offset: 0 });
  });

  test('does not open the named path', async () => {
    const before = await sources(instance, 'passwd');
    const answer = await post('{}\n', { path: '/etc/passwd', size: '3' });
    expect(answer).toMatchObject({ status: 200, body: { counts: { lines: 1, unknown_type: 1, added: 0 } } });
    expect(await sources(instance, 'passwd')).toEqual(before);
  });

  test.each([
    ['offset', { offset: '-1' }],
    ['size', { size: 'many' }],
    ['machine', { machine: '' }],
    ['path', { path: 'x'.repeat(5_000) }],
    ['fingerprint', { fingerprint: 'x'.repeat(200) }],
    ['modified_at', { modified_at: 'yesterday' }],
    ['surprise', { surprise: '1' }],
  ])('rejects a wrong %s and names it', async (field, more) => {
    const answer = await post('{}\n', more);
    expect(answer).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
    expect(JSON.stringify(answer.body)).toContain(field);
  });

  test('requires the scope, and lines instead of JSON', async () => {
    const reader = await instance.stranger({ scopes: ['read'] });
    expect(await post('{}\n', {}, reader.key)).toMatchObject({ status: 403 });
    expect(await instance.call('POST', `/transcripts?${query()}`, { body: {} })).toMatchObject({ status: 415 });
  });

  test('rejects a piece of more than 64 MiB', async () => {
    const size = 65 * 1024 * 1024;
    const answer = await post(new Uint8Array(size).fill(0x20), { size: String(size) });
    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    expect((await post('{}\n', { size: '3' })).status).toBe(200);
  });
});
