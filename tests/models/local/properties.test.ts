import { readFileSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import { groundLearnings, groundSession, groundTopic, quotableRows } from '../../../domain/grounding.ts';
import {
  type CitedText,
  ITEM_KINDS,
  LEARNING_CATEGORIES,
  type SessionInput,
  type SourceRow,
} from '../../../domain/ports/model.ts';
import { miniSession, rowsFrom } from '../rows.ts';
import { learningsOf, localModel, sessionOf, topicOf } from './asked.ts';
import { rowsOf, sharedSessions, windowsOf } from './shared-sessions.ts';

const model = localModel();

async function understand(rows: readonly SourceRow[]) {
  const windows = windowsOf(rows);
  const topics = await Promise.all(windows.map(async (window) => topicOf(window, {}, model)));
  const input: SessionInput = {
    projectName: 'p',
    glossary: [],
    topics: topics.map((topic, index) => ({ ...topic, id: `t${String(index)}` })),
    items: topics.flatMap(({ items }, topic) =>
      items.map((item, index) => ({ ...item, id: `i${String(topic)}-${String(index)}` })),
    ),
    prompts: rows.filter(({ role }) => role === 'prompt'),
  };
  const session = await sessionOf(input);
  const learnings = await learningsOf({ ...input, rows, known: [] });
  return { windows, topics, input, session, learnings };
}

function checkShort(texts: readonly CitedText[], most: number): void {
  expect(texts.length).toBeLessThanOrEqual(most);
  for (const { text } of texts) expect(text.trim()).not.toBe('');
}

/** Checks the invariants of every session. */
async function checkAll(rows: readonly SourceRow[]): Promise<void> {
  const { windows, topics, input, session, learnings } = await understand(rows);
  topics.forEach((topic, index) => {
    expect(groundTopic(topic, windows[index] ?? []).dropped).toBe(0);
    expect(topic.title).not.toBe('');
    expect(topic.title.length).toBeLessThanOrEqual(120);
    checkShort(topic.keyPoints, 7);
    checkShort(topic.actionItems, 2);
    expect(topic.items.length).toBeLessThanOrEqual(6);
    for (const item of topic.items) {
      expect(ITEM_KINDS).toContain(item.kind);
      expect(item.title).toMatch(/^\S.{0,119}$/su);
      expect(item.importance).toBeGreaterThanOrEqual(0);
      expect(item.importance).toBeLessThanOrEqual(1);
    }
  });
  expect(groundSession(session, quotableRows(input)).dropped).toBe(0);
  checkShort(session.keyPoints, 8);
  expect(groundLearnings(learnings, rows).dropped).toBe(0);
  expect(learnings.length).toBeLessThanOrEqual(12);
  for (const learning of learnings) {
    expect(LEARNING_CATEGORIES).toContain(learning.category);
    expect(learning.title).toMatch(/^\S.{0,119}$/su);
    expect(learning.confidence).toBeGreaterThanOrEqual(0.2);
    expect(learning.confidence).toBeLessThanOrEqual(0.95);
  }
}

function sharedOrSkip(ctx: TestContext) {
  const sessions = sharedSessions();
  if (sessions.length === 0) ctx.skip('skipped: no shared data');
  return sessions;
}

describe('every quote is valid, every title fits', () => {
  it('in the mini session', async () => {
    await expect(checkAll(miniSession)).resolves.toBeUndefined();
  });

  it('in the recorded demonstration', async () => {
    const events = readFileSync(new URL('../../../cli/demo/session/events.ndjson', import.meta.url), 'utf8');
    await expect(checkAll(rowsOf(events))).resolves.toBeUndefined();
  });

  it('in real sessions', async (ctx) => {
    for (const { rows } of sharedOrSkip(ctx)) await expect(checkAll(rows)).resolves.toBeUndefined();
  });

  it('in rows of noise', async () => {
    await expect(checkAll(noise(400))).resolves.toBeUndefined();
  });
});

describe('is deterministic', () => {
  it('in the mini session', async () => {
    expect(JSON.stringify(await understand(miniSession))).toBe(
      JSON.stringify(await understand(structuredClone(miniSession))),
    );
  });

  it('in real sessions', async (ctx) => {
    for (const { rows } of sharedOrSkip(ctx).slice(0, 3)) {
      expect(JSON.stringify(await understand(rows))).toBe(JSON.stringify(await understand(structuredClone(rows))));
    }
  });
});

it('a window of 1,000 rows takes less than ten seconds of processor time', async () => {
  const before = process.cpuUsage();
  await topicOf(noise(1000), {}, model);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(10_000);
});

/** Rows of words, marks, code, cues and broken Unicode in an order that looks random and is not. */
function noise(count: number): readonly SourceRow[] {
  const pieces = [
    'because',
    'the root cause is',
    'never',
    '```',
    '- [ ] open',
    '**',
    '根本原因。',
    '\n\n',
    '"',
    'Error: x',
    '1 failed',
    '12 passed',
    '🎉',
    '|a|',
    '$ npm test',
    '(',
    'fixed',
    'next steps:',
    '\uD83D',
    'src/a.ts',
    '.',
    '? ',
    '\u001B[31m',
  ];
  let state = 7;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const types = ['user', 'assistant', 'tool_result', 'error'] as const;
  return rowsFrom(
    Array.from({ length: count }, () => {
      const type = types[next(types.length)] ?? 'user';
      const content = Array.from({ length: 3 + next(60) }, () => pieces[next(pieces.length)] ?? '').join(' ');
      const isTool = type === 'tool_result' || type === 'error';
      return {
        type,
        content,
        tool: isTool ? (next(2) === 0 ? 'Bash' : 'Edit') : null,
        filesModified: isTool && next(3) === 0 ? ['src/a.ts'] : [],
      };
    }),
  );
}
