import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ImportApi } from '../../cli/import/import-api.ts';
import { streamTranscripts } from '../../cli/import/stream-import.ts';
import type { StreamProgress } from '../../cli/import/stream-import.ts';
import type { Line } from '../domain/transcripts/support/from-hooks.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { transcriptFolderOf } from './folder.ts';
import type { TranscriptFolder } from './folder.ts';

let folder: TranscriptFolder;
let instance: TestInstance;

beforeAll(async () => {
  folder = transcriptFolderOf();
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPT_ROOTS: '/nonexistent' });
});
afterAll(async () => {
  await instance.close();
  folder.remove();
});

/** Writes a session's transcript and sends it, as a client does for a server on another machine. */
function read(session: string, lines: readonly Line[]): Promise<StreamProgress> {
  folder.write(`-src/${session}.jsonl`, lines);
  const { signal } = new AbortController();
  return streamTranscripts({
    api: new ImportApi({ url: instance.url, apiKey: instance.admin.key }, signal),
    folder: folder.root,
    signal,
    onProgress: () => {},
  });
}

const minute = (n: number) => new Date(Date.UTC(2026, 4, 2, 9, n)).toISOString();

function userLine(session: string, n: number, content: unknown): Line {
  return {
    type: 'user',
    uuid: `${session}-${n}`,
    sessionId: session,
    cwd: '/src/app',
    timestamp: minute(n),
    isSidechain: false,
    message: { role: 'user', content },
  };
}

function agentLine(session: string, n: number, content: unknown[]): Line {
  return {
    ...userLine(session, n, null),
    type: 'assistant',
    message: { id: `${session}-m${n}`, role: 'assistant', content, stop_reason: 'end_turn' },
  };
}

/** A prompt, a tool call with its result, and the last reply. */
function talk(session: string, words: string, from = 0): Line[] {
  const call = `${session}-call-${from}`;
  return [
    userLine(session, from, `${words} is requested`),
    agentLine(session, from + 1, [{ type: 'tool_use', id: call, name: 'Bash', input: { command: `echo ${words}` } }]),
    userLine(session, from + 2, [{ type: 'tool_result', tool_use_id: call, content: `${words} is printed` }]),
    agentLine(session, from + 3, [{ type: 'text', text: `${words} is reported` }]),
  ];
}

const sendHook = (session: string, event: string, fields: object) =>
  instance.call('POST', `/hooks/${event}`, { body: { session_id: session, cwd: '/src/app', ...fields } });

async function forget(path: string): Promise<void> {
  expect((await instance.call('DELETE', path)).status).toBe(200);
}

/** Returns the key of the row with this text; '' if none. */
async function keyOf(content: string): Promise<string> {
  const rows = await instance.rows<{ key: string }>(
    'SELECT k.key FROM capture_keys k JOIN prompts p ON p.id = k.row_id WHERE p.content = $1',
    [content],
  );
  return rows[0]?.key ?? '';
}

async function contentsOf(session: string): Promise<string[]> {
  const rows = await instance.rows<{ content: string }>(
    `SELECT r.content FROM (SELECT session_id, seq, content FROM prompts UNION ALL SELECT session_id, seq, content FROM observations) AS r
       JOIN sessions s ON s.id = r.session_id WHERE s.external_id = $1 ORDER BY r.seq`,
    [session],
  );
  return rows.map(({ content }) => content);
}

describe('a session that was forgotten', () => {
  const first = talk('parent', 'zebra');
  const copied = (lines: readonly Line[]) => lines.map((line) => ({ ...line, sessionId: 'child' }));

  test('is not restored by the transcript of a resumed session', async () => {
    await read('parent', first);
    expect(await contentsOf('parent')).toHaveLength(3);
    await forget('/sessions/claude-code:parent');
    const { counts } = await read('child', [...copied(first), ...talk('child', 'lion', 10)]);
    expect((await contentsOf('child')).join('\n')).not.toContain('zebra');
    expect(await contentsOf('child')).toHaveLength(3);
    expect(counts.repeated).toBe(3);
  });

  test('leaves the ids of its lines without their text', async () => {
    const rows = await instance.rows<Record<string, unknown>>(
      "SELECT uuid, row_id, hashes, occurred_at FROM transcript_prompts WHERE uuid LIKE 'parent-%' ORDER BY uuid",
    );
    expect(rows).toEqual(
      ['parent-0', 'parent-3'].map((uuid) => ({ uuid, row_id: null, hashes: null, occurred_at: null })),
    );
  });

  test('that continued afterwards is not restored either', async () => {
    const later = talk('parent', 'okapi', 20);
    expect((await read('parent', [...first, ...later])).counts.added).toBe(0);
    await read('child', [...copied([...first, ...later]), ...talk('child', 'lion', 10)]);
    const rows = await instance.rows(
      "SELECT content FROM prompts WHERE content LIKE '%okapi%' OR content LIKE '%zebra%' UNION ALL SELECT content FROM observations WHERE content LIKE '%okapi%' OR content LIKE '%zebra%'",
    );
    expect(rows).toEqual([]);
  });
});

test('a session captured by hooks and forgotten before its transcript was read is not restored by a copy', async () => {
  const lines = talk('unread', 'tapir');
  await sendHook('unread', 'UserPromptSubmit', { prompt: 'tapir is requested', timestamp: minute(0) });
  await forget('/sessions/claude-code:unread');
  expect((await read('unread', lines)).counts).toMatchObject({ added: 0 });
  await read('heir', [...lines.map((line) => ({ ...line, sessionId: 'heir' })), ...talk('heir', 'puma', 10)]);
  expect((await contentsOf('heir')).join('\n')).not.toContain('tapir');
  expect(await contentsOf('heir')).toHaveLength(3);
});

describe('a prompt that was forgotten before its line was read', () => {
  const IDE = '<ide_opened_file>The user opened /src/app/a.ts</ide_opened_file>';

  test.each([
    ['with an IDE block before it', `${IDE}\nthe code word is heron`],
    [
      'with an IDE block in a block of its own',
      [
        { type: 'text', text: IDE },
        { type: 'text', text: 'the code word is heron' },
      ],
    ],
    ['with blanks around it', '  the code word is heron \n'],
    ['as it was', 'the code word is heron'],
  ])('is rejected %s', async (what, content) => {
    const session = `worded-${createHash('sha256').update(what).digest('hex').slice(0, 8)}`;
    await sendHook(session, 'UserPromptSubmit', { prompt: 'the code word is heron', timestamp: minute(0) });
    await sendHook(session, 'UserPromptSubmit', { prompt: 'something else', timestamp: minute(5) });
    const key = await keyOf('the code word is heron');
    await forget(`/events/${encodeURIComponent(key)}?session=claude-code:${session}`);
    const { counts } = await read(session, [
      userLine(session, 0, content),
      agentLine(session, 1, [{ type: 'text', text: 'I store it.' }]),
      userLine(session, 5, `${IDE}\nsomething else`),
    ]);
    expect(await contentsOf(session)).toEqual(['something else', 'I store it.']);
    expect(counts.refused).toBe(1);
    const pins = await instance.rows('SELECT row_id, hashes FROM transcript_prompts WHERE uuid = $1', [`${session}-0`]);
    expect(pins).toEqual([{ row_id: null, hashes: [] }]);
  });

  test('is rejected if only the row has surrounding blanks', async () => {
    await sendHook('padded', 'UserPromptSubmit', { prompt: ' the padded word is ibis \n', timestamp: minute(0) });
    await forget(
      `/events/${encodeURIComponent(await keyOf(' the padded word is ibis \n'))}?session=claude-code:padded`,
    );
    await read('padded', [userLine('padded', 0, 'the padded word is ibis'), userLine('padded', 5, 'next')]);
    expect(await contentsOf('padded')).toEqual(['next']);
  });

  test('is rejected as the last text of a turn in another form', async () => {
    const words = 'I look.\nFound the egret.';
    await sendHook('words', 'Stop', { last_assistant_message: words, timestamp: minute(3) });
    await forget(`/events/${encodeURIComponent(await keyOf(words))}?session=claude-code:words`);
    await read('words', [
      userLine('words', 0, 'Look.'),
      agentLine(
        'words',
        1,
        words.split('\n').map((text) => ({ type: 'text', text })),
      ),
    ]);
    expect(await contentsOf('words')).toEqual(['Look.']);
  });
});

test('a prompt forgotten after its line was read is not restored by a hook in another form', async () => {
  const line = '<ide_opened_file>The user opened a.ts</ide_opened_file>\nthe late word is stork';
  await read('late', [userLine('late', 0, line), userLine('late', 5, 'next')]);
  const stored = await contentsOf('late');
  expect(stored).toEqual(['\nthe late word is stork', 'next']);
  await forget(`/events/${encodeURIComponent(await keyOf('\nthe late word is stork'))}?session=claude-code:late`);
  const answer = await sendHook('late', 'UserPromptSubmit', { prompt: 'the late word is stork', timestamp: minute(0) });
  expect(z.object({}).safeParse(answer.body).success).toBe(true);
  expect(await contentsOf('late')).toEqual(['next']);
  const rows = await instance.rows<Record<string, unknown>>(
    "SELECT row_id, hashes FROM transcript_prompts WHERE uuid = 'late-0'",
  );
  expect(rows).toEqual([{ row_id: null, hashes: null }]);
});
