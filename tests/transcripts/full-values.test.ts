import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FullValues } from '../../domain/capture/full-values.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import type { HostEvent } from '../../domain/capture/event.ts';
import { createDirectoryStore } from '../../stores/files/directory-store.ts';
import type { Line } from '../domain/transcripts/support/from-hooks.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { transcriptFolderOf } from './folder.ts';
import type { TranscriptFolder } from './folder.ts';

const values = mkdtempSync(path.join(tmpdir(), 'recollect-full-'));
let folder: TranscriptFolder;
let instance: TestInstance;

beforeAll(async () => {
  folder = transcriptFolderOf();
  instance = await startTestInstance({
    RECOLLECT_FULL_VALUES_DIR: values,
    RECOLLECT_TRANSCRIPT_ROOTS: folder.root,
  });
});
afterAll(async () => {
  await instance.close();
  folder.remove();
  rmSync(values, { recursive: true, force: true });
});

function files(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

const middle = 'the text in the middle';
const long = (word: string) => `${`${word} before `.repeat(8_000)}${middle} ${`${word} after `.repeat(8_000)}`;

function lines(session: string, output: string): Line[] {
  const line = (n: number, type: string, message: object): Line => ({
    type,
    uuid: `${session}-${n}`,
    sessionId: session,
    cwd: '/src/app',
    timestamp: new Date(Date.UTC(2026, 4, 2, 9, n)).toISOString(),
    message,
  });
  const use = { type: 'tool_use', id: `${session}-call`, name: 'Bash', input: { command: 'cat notes' } };
  const result = { type: 'tool_result', tool_use_id: `${session}-call`, content: output };
  return [
    line(0, 'user', { role: 'user', content: 'Show me the notes.' }),
    line(1, 'assistant', { id: 'm1', role: 'assistant', content: [use], stop_reason: 'tool_use' }),
    line(2, 'user', { role: 'user', content: [result] }),
    line(3, 'assistant', {
      id: 'm3',
      role: 'assistant',
      content: [{ type: 'text', text: 'There.' }],
      stop_reason: 'end_turn',
    }),
  ];
}

const started = z.object({ id: z.string(), state: z.string() });

/** Imports the folder in the worker and waits for the end. */
async function imported(): Promise<void> {
  const { id } = started.parse(
    (await instance.call('POST', '/imports', { body: { kind: 'transcripts', directory: folder.root } })).body,
  );
  await until(async () => {
    const { state } = started.parse((await instance.call('GET', `/imports/${id}`)).body);
    return state === 'completed' ? true : undefined;
  }, 240_000);
}

describe('truncated values in a transcript', { timeout: 240_000 }, () => {
  test('are stored in full and deleted when forgotten, also in repeated reads', async () => {
    const stop = await instance.startWorker();
    folder.write('-src/long.jsonl', lines('long', long('word')));
    await imported();
    const rows = await instance.rows<{ content: string }>('SELECT content FROM observations');
    const sha256 = /sha256:([0-9a-f]{64})/.exec(rows[0]?.content ?? '')?.[1];
    const full = await instance.call('GET', `/full-values/${sha256}`);
    expect(full.status).toBe(200);
    expect(z.object({ text: z.string() }).parse(full.body).text).toContain(middle);

    expect((await instance.call('DELETE', '/events/tool%3Along-call')).status).toBe(200);
    expect(files(values)).toEqual([]);
    // Another file in its place is read from its beginning.
    folder.write('-src/long.jsonl', [{ type: 'mode' }, ...lines('long', long('word'))]);
    await imported();
    expect(files(values)).toEqual([]);
    expect(await instance.rows('SELECT 1 FROM observations')).toEqual([]);
    await stop();
  });
});

describe('a full value', () => {
  const hook = (id: string, response: string): HostEvent => {
    const event = translateHook(
      'PostToolUse',
      { session_id: 's', tool_name: 'Bash', tool_input: {}, tool_response: response, tool_use_id: id },
      null,
    );
    if (event === null) throw new Error('an event was expected');
    return event;
  };
  const outcome = (status: 'accepted' | 'rejected') => ({ status, rowId: null, sessionId: null });
  const now = new Date();

  test('is stored if an accepted event refers to it, or existed before', async () => {
    const root = path.join(values, 'settled');
    const objects = createDirectoryStore(root);
    const before = new FullValues(objects, instance.admin);
    const old = await before.build(hook('old', long('old')), now);
    await before.settle([old], [outcome('accepted')]);
    const fullValues = new FullValues(objects, instance.admin);
    const events = [hook('a', long('one')), hook('b', long('two')), hook('c', long('two')), hook('d', long('old'))];
    const built = await Promise.all(events.map((event) => fullValues.build(event, now)));
    expect(files(root)).toHaveLength(3);
    await fullValues.settle(built, [
      outcome('rejected'),
      outcome('rejected'),
      outcome('accepted'),
      outcome('rejected'),
    ]);
    const stored = await Promise.all(built.map(({ keys }) => objects.get(keys[0] ?? 'none')));
    expect(stored.map((bytes) => bytes !== null)).toEqual([false, true, true, true]);
  });

  test('is not stored if the store rejects it: the truncated text has no hash', async () => {
    const fullValues = new FullValues(createDirectoryStore(path.join(values, 'small'), 1_000), instance.admin);
    const { event, keys } = await fullValues.build(hook('big', long('big')), now);
    expect(keys).toEqual([]);
    expect(JSON.stringify(event.rows)).toContain('the middle is left out');
    expect(JSON.stringify(event.rows)).not.toContain('sha256:');
  });

  test('is not stored without a store', async () => {
    const { event, keys } = await new FullValues(null, instance.admin).build(hook('off', long('off')), now);
    expect(keys).toEqual([]);
    expect(JSON.stringify(event.rows)).not.toContain('sha256:');
  });
});
