import { describe, expect, test } from 'vitest';
import type { TranscriptItem } from '../../../domain/transcripts/items.ts';
import { completeLines } from '../../../domain/transcripts/line.ts';
import { TranscriptReader } from '../../../domain/transcripts/reader.ts';
import { bytesOf } from './support/from-hooks.ts';
import type { Line } from './support/from-hooks.ts';

const IDLE_MS = 1_800_000;
const DAY_MS = 24 * 3_600_000;
let made = 0;

function line(rest: Line): Line {
  made += 1;
  const timestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, made)).toISOString();
  return { uuid: `line-${made}`, sessionId: 's', cwd: '/src', timestamp, isSidechain: false, ...rest };
}
const user = (text: string, more: Line = {}) =>
  line({ type: 'user', message: { role: 'user', content: text }, ...more });
const assistant = (id: string, content: readonly unknown[], stop: string | null = null, more: Line = {}) =>
  line({ type: 'assistant', message: { id, role: 'assistant', content, stop_reason: stop }, ...more });
const text = (words: string) => ({ type: 'text', text: words });
const use = (id: string) => ({ type: 'tool_use', id, name: 'Bash', input: { command: 'ls' } });
const result = (id: string, more: Line = {}) =>
  line({
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] },
    ...more,
  });

function readAll(
  lines: readonly (Line | string)[],
  quietMs: number | null = null,
  agentId: string | null = null,
): TranscriptReader {
  const reader = new TranscriptReader({ session: 'file', agentId, atStart: true, countedOffset: 0 });
  for (const one of completeLines(bytesOf(lines), 0)) reader.feed(one);
  if (quietMs !== null) reader.finish({ quietMs, idleMs: IDLE_MS });
  return reader;
}

/** Items as short texts: kind and content. */
function described(items: readonly TranscriptItem[]): string[] {
  return items.map(({ kind, payload, agentId }) => {
    const saying =
      payload['prompt'] ?? payload['last_assistant_message'] ?? payload['error'] ?? payload['tool_use_id'] ?? '';
    return `${kind} ${JSON.stringify(saying)}${agentId === null ? '' : ` of ${agentId}`}`;
  });
}

describe('turns', () => {
  test('equal the events of the hooks', () => {
    const lines = [
      user('Look.'),
      assistant('m1', [text('I look.')]),
      assistant('m1', [use('t1')], 'tool_use'),
      result('t1'),
      assistant('m2', [text('Done.')], 'end_turn'),
    ];
    const reader = readAll(lines, 0);
    expect(described(reader.items)).toEqual(['start ""', 'user "Look."', 'tool "t1"', 'words "Done."']);
    expect(reader.items[2]?.payload).toMatchObject({
      session_id: 's',
      cwd: '/src',
      hook_event_name: 'PostToolUse',
      tool_name: 'Bash',
      tool_input: { command: 'ls' },
      tool_response: 'ok',
      duration_ms: 1_000,
    });
    expect(reader.items[3]?.alternatives).toContain('I look.\n\nDone.');
    expect(reader.unfinishedSince()).toBeNull();
  });

  test.each([
    [
      'the next prompt comes',
      [user('A'), assistant('m', [text('a')]), user('B')],
      null,
      ['user "A"', 'words "a"', 'user "B"'],
    ],
    ['the model stopped', [user('A'), assistant('m', [text('a')], 'end_turn')], 0, ['user "A"', 'words "a"']],
    [
      'the host notes its end',
      [user('A'), assistant('m', [text('a')]), line({ type: 'system', subtype: 'turn_duration' })],
      0,
      ['user "A"', 'words "a"'],
    ],
    ['it was quiet for long', [user('A'), assistant('m', [text('a')])], IDLE_MS, ['user "A"', 'words "a"']],
    ['not while it may go on', [user('A'), assistant('m', [text('a')])], 60_000, ['user "A"']],
    ['not while a call is open', [user('A'), assistant('m', [text('a'), use('t')], 'tool_use')], IDLE_MS, ['user "A"']],
    ['not at a piece’s end', [user('A'), assistant('m', [text('a')], 'end_turn')], null, ['user "A"']],
    ['is empty without words', [user('A'), user('B')], null, ['user "A"', 'user "B"']],
  ])('end when %s', (_when, lines, quietMs, expected) => {
    expect(described(readAll(lines, quietMs).items).slice(1)).toEqual(expected);
  });

  test('a message in several lines is one, and a stop that is blocked is followed by another', () => {
    const lines = [
      user('A'),
      assistant('m1', [text('one')], 'end_turn'),
      assistant('m1', [text('two')], 'end_turn'),
      user('hook rejects it', { isMeta: true }),
      assistant('m2', [text('three')], 'end_turn'),
    ];
    const { items } = readAll(lines, 0);
    expect(described(items).slice(1)).toEqual(['user "A"', 'words "one\\n\\ntwo"', 'words "three"']);
  });

  test('assigns texts to the folder and session of their line, whatever closes their turn', () => {
    const lines = [user('A'), assistant('m', [text('a')]), user('B', { cwd: '/src/other', sessionId: 'next' })];
    const { items } = readAll(lines);
    expect(items.map(({ session, payload }) => [session, payload.session_id, payload.cwd, payload.timestamp])).toEqual([
      ['s', 's', '/src', lines[0]?.['timestamp']],
      ['s', 's', '/src', lines[0]?.['timestamp']],
      ['s', 's', '/src', lines[1]?.['timestamp']],
      ['next', 'next', '/src/other', lines[2]?.['timestamp']],
    ]);
  });

  test('continues at the start of unfinished work', () => {
    const lines = [user('A'), assistant('m1', [text('a')], 'end_turn'), user('B'), assistant('m2', [text('b')])];
    const reader = readAll(lines, 0);
    expect(reader.unfinishedSince()).toBe(bytesOf(lines.slice(0, 2)).length);
    expect(readAll([...lines, user('C')], 0).unfinishedSince()).toBe(bytesOf(lines).length);
  });
});

describe('calls', () => {
  test('marks calls without a result as interrupted, only after the session is over', () => {
    const lines = [user('A'), assistant('m', [use('t1')], 'tool_use')];
    expect(described(readAll(lines, IDLE_MS).items)).toEqual(['start ""', 'user "A"']);
    const { items } = readAll(lines, DAY_MS);
    expect(described(items)).toEqual(['start ""', 'user "A"', 'tool "interrupted"']);
    expect(items[2]).toMatchObject({ key: 'tool:t1', payload: { hook_event_name: 'PostToolUseFailure' } });
  });

  test('abandons an old call after two more prompts, and stores a late result with its call', () => {
    const calls = [user('A'), assistant('m', [use('t1')], 'tool_use')];
    expect(described(readAll([...calls, user('B'), result('t1')]).items).at(-1)).toBe('tool "t1"');
    expect(described(readAll([...calls, user('B'), user('C')]).items).slice(1)).toEqual([
      'user "A"',
      'user "B"',
      'tool "interrupted"',
      'user "C"',
    ]);
  });

  test('stores a result without a call under its id', () => {
    const { items } = readAll([result('t9')]);
    expect(items).toMatchObject([{ key: 'tool:t9', payload: { tool_name: 'unknown', tool_response: 'ok' } }]);
  });
});

describe('sub-agents', () => {
  const side = { isSidechain: true, agentId: 'a1' };

  test('in a file of their own carry their id, and their task is no prompt of a user', () => {
    const lines = [
      user('Find it.', side),
      assistant('m1', [use('t1')], 'tool_use', side),
      result('t1', side),
      assistant('m2', [text('Found.')], 'end_turn', side),
    ];
    const { items } = readAll(lines, 0, 'a1');
    expect(described(items)).toEqual(['agent_start "" of a1', 'tool "t1" of a1', 'agent_stop "Found." of a1']);
    expect(items.every((item) => item.payload.agent_id === 'a1' && item.session === 's')).toBe(true);
  });

  test('separates interleaved sidechains by their chain', () => {
    const chain = { isSidechain: true };
    const root = user('Find it.', chain);
    const call = assistant('m1', [text('Found.')], 'end_turn', { ...chain, parentUuid: root['uuid'] });
    const { items } = readAll([
      user('A'),
      assistant('m', [use('task')], 'tool_use'),
      root,
      call,
      result('task'),
      assistant('m3', [text('a')], 'end_turn'),
      user('B'),
    ]);
    const agent = `sidechain-${String(root['uuid'])}`;
    expect(described(items)).toEqual([
      'start ""',
      'user "A"',
      `agent_start "" of ${agent}`,
      'tool "task"',
      'words "a"',
      `agent_stop "Found." of ${agent}`,
      'user "B"',
    ]);
    expect(items.filter((item) => item.agentGuessed)).toHaveLength(2);
  });
});

describe('counts', () => {
  test('counts lines by outcome, and counted lines once', () => {
    const first = user('A');
    const lines = [first, first, '{"type":"user"', 'nonsense', { type: 'novelty' }, '', line({ type: 'progress' })];
    expect(readAll(lines).counts).toMatchObject({
      lines: 6,
      repeated: 1,
      truncated: 1,
      not_json: 1,
      unknown_type: 1,
      too_large: 0,
    });
    const reader = new TranscriptReader({
      session: 'file',
      agentId: null,
      atStart: true,
      countedOffset: bytesOf(lines.slice(0, 3)).length,
    });
    for (const one of completeLines(bytesOf(lines), 0)) reader.feed(one);
    expect(reader.counts).toMatchObject({ lines: 3, repeated: 0, truncated: 0, not_json: 1, unknown_type: 1 });
    expect(described(reader.items)).toEqual(['start ""', 'user "A"']);
  });

  test('a title at the head is no compaction, a boundary in the middle is', () => {
    const title = { type: 'summary', summary: 'Another session', leafUuid: 'other' };
    const boundary = line({ type: 'system', subtype: 'compact_boundary', compactMetadata: { trigger: 'manual' } });
    const { items } = readAll([title, user('A'), boundary, user('Summary', { isCompactSummary: true })]);
    expect(described(items)).toEqual(['start ""', 'user "A"', 'compaction ""']);
    expect(items[2]?.payload['trigger']).toBe('manual');
  });

  test('any bytes are read without harm', () => {
    let seed = 7;
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    const complete = bytesOf([
      user('A'),
      assistant('m', [text('a'), use('t')], 'tool_use'),
      result('t'),
      assistant('n', [text('b')], 'end_turn'),
    ]);
    for (let run = 0; run < 300; run += 1) {
      const broken = Buffer.from(complete);
      for (let hit = 0; hit < 8; hit += 1) broken[Math.floor(random() * broken.length)] = Math.floor(random() * 256);
      const reader = new TranscriptReader({ session: 'file', agentId: null, atStart: true, countedOffset: 0 });
      for (const one of completeLines(broken, 0)) reader.feed(one);
      reader.finish({ quietMs: DAY_MS, idleMs: IDLE_MS });
      expect(reader.unfinishedSince()).toBeNull();
    }
  });
});
