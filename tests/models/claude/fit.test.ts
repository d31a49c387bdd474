import { afterEach, describe, expect, it } from 'vitest';
import type { SourceRow, WindowInput } from '../../../domain/ports/model.ts';
import { edited, miniSession, ran, type RowDraft, rowsFrom } from '../rows.ts';
import { sendCall, countTokens, failure, live, modelAt, outputOf, SECRET_WORD, window } from './claude-fixture.ts';
import { type MessagesServer, type MessagesServerOptions, startMessagesServer, userTextOf } from './messages-server.ts';

const REQUEST_TOKENS = 8_000;
let server: MessagesServer;
afterEach(() => server.close());

async function started(options: MessagesServerOptions = {}): Promise<MessagesServer> {
  server = await startMessagesServer({ author: true, ...options });
  return server;
}

function counted(drafts: readonly RowDraft[]): readonly SourceRow[] {
  return rowsFrom(drafts).map((row) => ({ ...row, tokens: countTokens(row.content) }));
}

const words = (count: number, seed: string) =>
  Array.from({ length: count }, (_, index) => `${seed}${String((index * 7919) % 10_007)}`).join(' ');
const steps = Array.from({ length: 900 }, (_, index) => ran(`step ${String(index)}`, `done ${String(index)}`));
const many = counted(steps);
const huge: readonly [string, WindowInput][] = [
  ['a row of three megabytes', { ...window, rows: counted([ran('cat log', `start ${'x'.repeat(3_000_000)} end`)]) }],
  [
    'a window of 6,000 tokens',
    { ...window, rows: counted([ran('a', words(1_000, 'a')), ran('b', words(1_200, 'b'))]) },
  ],
  ['nine hundred rows', { ...window, rows: many }],
  [
    'text in Chinese',
    { ...window, rows: counted([{ type: 'user', content: '缓存先用内存里的，不要引入。'.repeat(900) }]) },
  ],
  [
    'a long request before, and much that is known',
    {
      ...window,
      precedingRequest: { content: words(5_000, 'please'), dataClass: 'internal' },
      known: Array.from({ length: 20 }, (_, index) => ({
        id: String(index),
        category: 'general' as const,
        title: words(60, 'title'),
        description: words(600, 'd'),
      })),
      glossary: Array.from({ length: 500 }, (_, index) => `name-${String(index)}`.repeat(20)),
    },
  ],
];

describe('the bound of a request', () => {
  it.each(huge)('applies to %s', async (_, input) => {
    const call = await modelAt(await started()).prepareWindow(input, live());
    expect(call.inputTokens + call.maxTokensOut).toBeLessThanOrEqual(REQUEST_TOKENS);
    const { usage } = await call.send(live());
    expect(usage.inputTokens + call.maxTokensOut).toBeLessThanOrEqual(REQUEST_TOKENS);
    const again = await call.repair('x'.repeat(100_000), words(3_000, 'wrong'), live());
    expect(again.inputTokens + again.maxTokensOut).toBeLessThanOrEqual(REQUEST_TOKENS);
  });

  it.each([1.1, 1.2, 1.3, 1.45, 1.7])('fits if the provider counts %f times as many tokens', async (tokenFactor) => {
    const model = modelAt(await started({ tokenFactor }));
    for (const [, input] of huge) {
      const call = await model.prepareWindow(input, live());
      expect(call.inputTokens + call.maxTokensOut).toBeLessThanOrEqual(REQUEST_TOKENS);
    }
    // A round or two each, and one to find that the prefix is too long.
    expect(server.log.length).toBeLessThanOrEqual(huge.length * 3 + 1);
  });

  it('uses the shorter prefix if the longer one leaves no tokens, then always', async () => {
    const model = modelAt(await started({ tokenFactor: 1.45 }));
    for (const rows of [miniSession, miniSession.slice(0, 4)])
      await sendCall(model.prepareWindow({ ...window, rows }, live()));
    const prefixes = server.requests.map(({ system }) => JSON.stringify(system));
    expect(new Set(prefixes).size).toBe(1);
    expect(prefixes[0]).toContain('# Example 1');
    expect(prefixes[0]).not.toContain('# Example 2');
    expect(server.log.filter(({ endpoint }) => endpoint === 'count')).toHaveLength(3);
  });

  it.each([
    ['the setting is too low', 4_000, 1],
    ['the provider counts far more', REQUEST_TOKENS, 4],
  ])('fails without sending if %s', async (_, requestTokens, tokenFactor) => {
    const model = modelAt(await started({ tokenFactor }), { requestTokens });
    const error = await failure(model.prepareWindow(window, live()));
    expect(error.kind).toBe('invalid_request');
    expect(error.message).toContain(String(requestTokens));
    expect(error.message).not.toContain(SECRET_WORD);
    expect(server.requests).toHaveLength(0);
  });

  it('fits a session with a hundred topics and its learnings', async () => {
    const model = modelAt(await started());
    const topics = Array.from({ length: 100 }, (_, index) => ({
      id: String(index),
      title: words(30, 't'),
      content: words(300, 'c'),
      keyPoints: [{ text: words(80, 'k'), evidence: [{ rowId: `row-${String(index)}`, quote: words(100, 'q') }] }],
      actionItems: [],
    }));
    const items = topics.map(({ id, title, content, keyPoints }) => ({
      id,
      kind: 'discovery' as const,
      title,
      content,
      tags: [],
      importance: 0.5,
      evidence: keyPoints[0]?.evidence ?? [],
    }));
    const input = { projectName: 'p', glossary: [], topics, items, prompts: many.slice(0, 60) };
    const known = topics
      .slice(0, 20)
      .map(({ id, title, content }) => ({ id, title, description: content, category: 'general' as const }));
    for (const call of [
      await model.prepareSession(input, live()),
      await model.prepareLearnings({ ...input, rows: many, known }, live()),
    ]) {
      expect(call.inputTokens + call.maxTokensOut).toBeLessThanOrEqual(REQUEST_TOKENS);
      expect((await call.send(live())).reading.ok).toBe(true);
    }
  });
});

describe('rendered rows', () => {
  async function shownOf(rows: readonly SourceRow[]): Promise<string> {
    const model = modelAt(await started());
    outputOf(await sendCall(model.prepareWindow({ ...window, rows }, live())));
    const request = server.requests[0];
    return request === undefined ? '' : userTextOf(request);
  }

  it('prefer user prompts over output of successful commands', async () => {
    const request = words(120, 'want');
    const shown = await shownOf(
      counted([
        { type: 'user', content: request },
        ...Array.from({ length: 8 }, () => ran('build', words(900, 'line'))),
      ]),
    );
    expect(shown).toContain(request);
    expect(shown.match(/characters left out\]/gu)?.length).toBe(8);
  });

  it('is of a failure both ends, and more than of a success as long', async () => {
    const shown = await shownOf(
      counted([
        ran('test', words(900, 'bad'), true),
        ran('test', words(900, 'good')),
        ...Array.from({ length: 4 }, () => ran('x', words(900, 'z'))),
      ]),
    );
    const of = (seed: string) => shown.match(new RegExp(`\\b${seed}\\d+`, 'gu'))?.length ?? 0;
    expect(of('bad')).toBeGreaterThan(1.8 * of('good'));
    expect(shown).toMatch(/\[… \d+ characters left out\]/u);
  });

  it('is of an edit the changed lines', async () => {
    const around = words(60, 'same').split(' ').join('\n- ');
    const edit = edited(
      '/src/a.ts',
      `${around}\n- const limit = 10;`,
      `${around.replaceAll('\n- ', '\n+ ')}\n+ const limit = 20;`,
    );
    const shown = await shownOf(counted(Array.from({ length: 14 }, () => edit)));
    expect(shown.match(/^- const limit = 10;$/gmu)).toHaveLength(14);
    expect(shown.match(/^\+ const limit = 20;$/gmu)).toHaveLength(14);
  });

  it('prefer the most important rows if not every row fits, and note the omission', async () => {
    const shown = await shownOf(counted([{ type: 'user', content: 'do it all' }, ...steps]));
    expect(shown).toContain('do it all');
    expect(shown).toMatch(/\[\d{6} \d+ left out\]/u);
    expect(shown).toContain('step 899');
  });

  it('limit the preceding request to a line or two', async () => {
    const model = modelAt(await started());
    const precedingRequest = { content: words(2_000, 'before'), dataClass: 'internal' } as const;
    await sendCall(model.prepareWindow({ ...window, precedingRequest }, live()));
    const request = server.requests[0];
    expect((request === undefined ? '' : userTextOf(request)).match(/\bbefore\d+/gu)?.length).toBeLessThan(60);
  });

  it('include a long session’s first prompt, and every window', async () => {
    const model = modelAt(await started());
    const prompts = counted(
      Array.from({ length: 60 }, (_, index) => ({ type: 'user', content: `${String(index)}: ${words(60, 'and')}` })),
    );
    const topics = Array.from({ length: 12 }, (_, index) => ({
      id: String(index),
      title: `Window ${String(index)}`,
      content: words(40, 'c'),
      keyPoints: [],
      actionItems: [],
    }));
    await sendCall(model.prepareSession({ projectName: 'p', glossary: [], topics, items: [], prompts }, live()));
    const request = server.requests[0];
    const shown = request === undefined ? '' : userTextOf(request);
    expect(shown).toMatch(/R1 user\]\n0: and/u);
    expect(shown).not.toMatch(/R2 user\]/u);
    expect(shown.match(/^Window \d+$/gmu)).toHaveLength(12);
  });

  it('are verbatim, piece by piece', async () => {
    const rows = counted([
      ran('a', words(700, 'x')),
      edited('/a', words(400, 'old'), words(400, 'new')),
      ...miniSession,
    ]);
    const shown = await shownOf(rows);
    const mark = /^\[(\d{6}) /u.exec(shown)?.[1] ?? '';
    const pieces = shown.split(`[${mark} `).filter((piece) => /^R\d/u.test(piece));
    expect(pieces.length).toBe(rows.length);
    for (const [index, piece] of pieces.entries()) {
      const body = piece.slice(piece.indexOf('\n') + 1).replace(/\n$/u, '');
      for (const part of body.split(/\n?\[… \d+ characters left out\]\n?/u))
        expect(rows[index]?.content).toContain(part);
    }
  });
});
