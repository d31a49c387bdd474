import { describe, expect, it, type TestContext } from 'vitest';
import { createLocalModel } from '../../../models/local/model.ts';
import { createTokenCounter } from '../../../models/tokens/token-counter.ts';
import { readCodingSessions, sessionOf } from './coding-sessions.ts';
import { scoreModel, textsOf, understand } from './local-quality.ts';

const { count } = createTokenCounter();
const model = createLocalModel({ countTokens: count, now: () => 0 });

const hook = (name: string, fields: Record<string, unknown>): string =>
  JSON.stringify({ hook_event_name: name, session_id: 's', timestamp: '2026-03-02T09:00:00Z', ...fields });

const lines = [
  hook('SessionStart', { source: 'startup' }),
  hook('UserPromptSubmit', { prompt: 'Never push to main without a review. Why is the nightly export empty?' }),
  hook('PostToolUse', {
    tool_name: 'Bash',
    tool_input: { command: 'git mv old.md docs/new.md', description: 'see talk.md' },
    tool_response: { stdout: '' },
    tool_use_id: 't1',
  }),
  hook('Stop', { last_assistant_message: 'The problem is that the glob runs when the module is imported.' }),
  hook('SessionEnd', { reason: 'exit' }),
];
const session = sessionOf('demo', lines, count);

describe('a session of the bench', () => {
  it('has the rows and windows that capture would create', () => {
    expect(session.rows.map(({ type }) => type)).toEqual(['user', 'tool_result', 'assistant']);
    expect(session.rows.every(({ content, tokens }) => tokens === count(content))).toBe(true);
    expect(session.windows).toEqual([session.rows]);
  });

  it('counts files as touched by tool inputs, not by prose', () => {
    expect(session.toolInputs).toContain('old.md');
    expect(session.toolInputs).not.toContain('talk.md');
  });
});

describe('the score', () => {
  const question = (id: string, evidence: string) => ({ id, type: 'decision', evidence, sessions: ['demo'] });

  it('matches evidence ignoring case and white space, in displayed texts only', async () => {
    const score = await scoreModel(
      model,
      [session],
      [question('shown', 'the GLOB  runs when\nthe module'), question('absent', 'a sentence that does not occur')],
      count,
    );
    expect(score).toMatchObject({
      questions: 2,
      found: 1,
      share: 0.5,
      byType: { decision: '1/2' },
      missed: ['absent'],
    });
    expect(score).toMatchObject({ claimsDropped: 0, filesUntouched: [], windows: 1 });
    expect(score.capturedTokens).toBe(session.rows.reduce((sum, { tokens }) => sum + tokens, 0));
    expect(score.compression).toBeGreaterThan(0);
  });

  it('reports files that no tool touched, and repeated texts', async () => {
    const one = await understand(model, session);
    const sentence = 'This sentence about ghost.ts occurs in two topics of one session.';
    const topic = { title: sentence, content: '', keyPoints: [], actionItems: [], items: [] };
    const wordy = { ...one, topics: [topic, topic] };
    expect(textsOf(wordy).topics).toContain(sentence);
    const liar = {
      ...model,
      prepareWindow: async (...args: Parameters<typeof model.prepareWindow>) => {
        const call = await model.prepareWindow(...args);
        return { ...call, read: () => ({ ok: true as const, output: { ...topic, content: sentence } }) };
      },
    };
    const score = await scoreModel(liar, [session], [], count);
    expect(score.filesUntouched).toEqual(['ghost.ts']);
    expect(score.saidTwice).toContain(sentence.toLowerCase());
  });
});

it('repairs an unusable response once', async () => {
  const unusable = { ok: false as const, kind: 'invalid_output' as const, problem: 'no JSON', where: '' };
  const failing = (repairs: boolean) => ({
    ...model,
    prepareWindow: async (...args: Parameters<typeof model.prepareWindow>) => {
      const call = await model.prepareWindow(...args);
      const broken = { ...call, read: () => unusable };
      return { ...broken, repair: () => Promise.resolve(repairs ? call : broken) };
    },
  });
  expect(await understand(failing(true), session)).toEqual(await understand(model, session));
  await expect(understand(failing(false), session)).rejects.toThrow('no JSON');
});

it('reaches its figures on the shared sessions without vectors', async (ctx: TestContext) => {
  const data = readCodingSessions(count);
  if (data === null) {
    ctx.skip('skipped: no shared data');
    return;
  }
  const score = await scoreModel(model, data.sessions, data.questions, count);
  expect(score.share).toBeGreaterThanOrEqual(0.45);
  expect(score.compression).toBeLessThanOrEqual(0.05);
  expect(score.claims).toBeGreaterThan(200);
  expect(score.claimsDropped).toBe(0);
  expect(score.filesUntouched).toEqual([]);
});
