import { describe, expect, it } from 'vitest';
import type { RetrieverResult } from '../../../domain/fusion.ts';
import type { RecallHit } from '../../../domain/ports/vector-index.ts';
import { rankMemories, sessionEvidence } from '../../../domain/ranking/rank.ts';

const NO_SESSIONS = { session: 0 };

function hit(memoryId: string, score: number, more: Partial<RecallHit> = {}): RecallHit {
  return { memoryId, memoryType: 'prompt', kind: 'assistant', tool: null, sessionId: null, score, ...more };
}

function keyword(...hits: readonly RecallHit[]): RetrieverResult {
  return { name: 'keyword', weight: 0.5, hits };
}

function vector(...hits: readonly RecallHit[]): RetrieverResult {
  return { name: 'vector', weight: 0.5, hits };
}

const scoresOf = (retrievers: readonly RetrieverResult[], query = ''): Record<string, number> =>
  Object.fromEntries(
    rankMemories(retrievers, query, NO_SESSIONS).map(({ memoryId, score }) => [
      memoryId,
      Math.round(score * 1_000) / 1_000,
    ]),
  );

describe('the evidence of a session', () => {
  it('is the fifth powers of its memories’ scores, scaled to the best session', () => {
    const evidence = sessionEvidence([
      { score: 0.5, sessionId: 'a' },
      { score: 1, sessionId: 'a' },
      { score: 0.5, sessionId: 'b' },
      { score: 1, sessionId: null },
    ]);
    expect(evidence.get('a')).toBe(1);
    expect(evidence.get('b')).toBeCloseTo(1 / 33);
    expect(evidence.size).toBe(2);
  });

  it('returns nothing without scores', () => {
    expect([...sessionEvidence([{ score: 0, sessionId: 'a' }])]).toEqual([['a', 0]]);
    expect(sessionEvidence([]).size).toBe(0);
  });
});

describe('ranking', () => {
  it('scales keyword scores by the best, similarities above the floor of unrelated texts', () => {
    expect(scoresOf([keyword(hit('a', 20), hit('b', 10))])).toEqual({ a: 1, b: 0.5 });
    expect(scoresOf([vector(hit('a', 0.8), hit('b', 0.55), hit('c', 0.1))])).toEqual({ a: 1, b: 0.5, c: 0 });
  });

  it('scores a memory by its best chunk', () => {
    const retrievers = [keyword(hit('long', 8), hit('short', 11), hit('long', 12), hit('long', 2))];
    expect(rankMemories(retrievers, '', NO_SESSIONS)).toMatchObject([
      { memoryId: 'long', score: 1, retrievers: { keyword: { score: 12, rank: 1 } } },
      { memoryId: 'short', score: 11 / 12, retrievers: { keyword: { score: 11, rank: 2 } } },
    ]);
  });

  it('leaves a retriever with a zero best score unscaled', () => {
    expect(scoresOf([vector(hit('a', 0.2), hit('b', 0.1))])).toEqual({ a: 1, b: 0 });
    expect(scoresOf([keyword(hit('a', 0))])).toEqual({ a: 1 });
    expect(rankMemories([keyword(), vector()], '', NO_SESSIONS)).toEqual([]);
  });

  it('weights reading tools, other tools and overviews', () => {
    const observation = (tool: string) => ({ memoryType: 'observation', kind: 'tool_result', tool }) as const;
    expect(
      scoresOf([
        keyword(
          hit('spoken', 1),
          hit('requested', 1, { kind: 'user' }),
          hit('ran', 1, observation('Bash')),
          hit('read', 1, observation('Read')),
          hit('topic', 1, { memoryType: 'summary', kind: 'topic' }),
          hit('item', 1, { memoryType: 'summary', kind: 'decision' }),
          hit('untold', 1, { kind: null }),
        ),
      ]),
    ).toEqual({ spoken: 1, requested: 0.95, ran: 0.9, read: 0.7, topic: 0.95, item: 1, untold: 1 });
  });

  it.each(
    `Read NotebookRead read_file Grep grep_search codebase_search Glob file_search LS list_dir TodoRead TodoWrite
     update_plan`.split(/\s+/),
  )('weights %s as a reading tool', (tool) => {
    expect(scoresOf([keyword(hit('read', 1, { memoryType: 'observation', tool }))])).toEqual({ read: 0.7 });
  });

  it.each(['Bash', 'shell', 'local_shell', 'exec_command', 'run_terminal_cmd', 'run_shell_command'])(
    'finds a command that %s ran',
    (tool) => {
      expect(scoresOf([keyword(hit('ran', 1, { memoryType: 'observation', tool }))], 'which command')).toEqual({
        ran: 0.9,
      });
    },
  );

  it('weights an observation without a tool as other tools, a summary of a session as an overview', () => {
    expect(
      scoresOf([
        keyword(
          hit('ran', 1, { memoryType: 'observation' }),
          hit('session', 1, { memoryType: 'summary', kind: 'session' }),
        ),
      ]),
    ).toEqual({ ran: 0.9, session: 0.95 });
    expect(scoresOf([keyword(hit('ran', 1, { memoryType: 'observation' }))], 'which command')).toEqual({ ran: 0.72 });
  });

  it('raises a memory by its session’s other evidence, and returns the amount', () => {
    const retrievers = [
      keyword(
        hit('lone', 10, { sessionId: 'x' }),
        hit('best', 9, { sessionId: 's' }),
        hit('more', 9, { sessionId: 's' }),
      ),
    ];
    expect(rankMemories(retrievers, '', NO_SESSIONS)[0]?.memoryId).toBe('lone');
    const [first] = rankMemories(retrievers, '', { session: 0.5 });
    expect(first).toMatchObject({ memoryId: 'best', sessionId: 's', parts: { fused: 0.9, prior: 1, session: 1 } });
    expect(first?.score).toBeCloseTo(0.95);
  });

  it('leaves a memory without a session unchanged', () => {
    const [alone] = rankMemories([keyword(hit('alone', 2), hit('other', 1, { sessionId: 's' }))], '', { session: 0.5 });
    expect(alone).toMatchObject({ memoryId: 'alone', score: 1, parts: { session: null } });
  });

  it.each(['before', 'after'])(
    'retains what a retriever knows of a memory if one with less knowledge is %s it',
    (place) => {
      const knowing = [keyword(hit('read', 1, { memoryType: 'observation', tool: 'Read', sessionId: 's' }))];
      const bare: RetrieverResult = {
        name: 'recency',
        weight: 0.5,
        hits: [{ memoryId: 'read', memoryType: 'observation', score: 1 }],
      };
      const retrievers = place === 'before' ? [bare, ...knowing] : [...knowing, bare];
      const [found] = rankMemories(retrievers, '', { session: 0.5 });
      expect(found).toMatchObject({ sessionId: 's', parts: { prior: 0.7, session: 1 } });
    },
  );

  it.each<[string, Partial<RecallHit>, Partial<RecallHit>]>([
    ['session', { kind: 'user' }, { kind: 'user', sessionId: 's' }],
    ['kind', { sessionId: 's' }, { sessionId: 's', kind: 'user' }],
  ])('prefers a hit with the %s to one without', (_, less, more) => {
    const from = (name: 'vector' | 'recency', known: Partial<RecallHit>): RetrieverResult => ({
      name,
      weight: 0.5,
      hits: [{ memoryId: 'a', memoryType: 'prompt', score: 1, ...known }],
    });
    const [found] = rankMemories([from('vector', less), from('recency', more)], '', { session: 0.5 });
    expect(found).toMatchObject({ sessionId: 's', parts: { prior: 0.95 } });
  });

  it('has one order, whatever the order of equal hits', () => {
    const equal = [hit('b', 1, { sessionId: 's' }), hit('a', 1, { sessionId: 's' }), hit('c', 1, { sessionId: 't' })];
    const idsOf = (hits: readonly RecallHit[]) =>
      rankMemories([keyword(...hits)], '', { session: 0.1 }).map(({ memoryId }) => memoryId);
    expect(idsOf(equal)).toEqual(idsOf(equal.toReversed()));
  });
});

describe('intent of a query', () => {
  const retrievers = [
    keyword(
      hit('ran', 1, { memoryType: 'observation', kind: 'tool_result', tool: 'Bash' }),
      hit('user', 1, { kind: 'user' }),
      hit('assistant', 1, { kind: 'assistant' }),
      hit('rule', 1, { memoryType: 'learning', kind: 'best_practice' }),
    ),
  ];

  it.each([
    ['Which command created the repository?', { ran: 0.9, user: 0.76, assistant: 0.8, rule: 0.8 }],
    ['how did we run only that hook', { ran: 0.9, user: 0.76, assistant: 0.8, rule: 0.8 }],
    ['What did I say about docstrings?', { ran: 0.72, user: 0.95, assistant: 0.8, rule: 1 }],
    ['commits in my view', { ran: 0.72, user: 0.95, assistant: 0.8, rule: 1 }],
    ['my preference for commits', { ran: 0.72, user: 0.95, assistant: 0.8, rule: 1 }],
    ['my wish for the release', { ran: 0.72, user: 0.95, assistant: 0.8, rule: 1 }],
    ['my rule for branches', { ran: 0.72, user: 0.95, assistant: 0.8, rule: 1 }],
    ['notes on how we can run, and how did we start it', { ran: 0.9, user: 0.95, assistant: 1, rule: 1 }],
    ['Why did the build fail?', { ran: 0.9, user: 0.95, assistant: 1, rule: 1 }],
  ])('%s', (query, expected) => {
    expect(scoresOf(retrievers, query)).toEqual(expected);
  });
});
