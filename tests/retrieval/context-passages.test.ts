import { describe, expect, it } from 'vitest';
import { memoryHash } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import { fileQuery, rankedByFile } from '../../retrieval/context.ts';
import { answersQuery } from '../../retrieval/context-candidates.ts';
import { packMemories, answerValue, currentValue } from '../../retrieval/context-passages.ts';
import { CONTEXT_TAG } from '../../domain/recalled/recalled-block.ts';

const NOW = new Date('2026-03-31T12:00:00Z');
const idOf = (n: number): string => `0192f0c1-2345-7abc-8def-${String(n).padStart(12, '0')}`;
const words = (text: string): number => text.split(' ').length;

function memory(n: number, changes: Partial<Memory> = {}): Memory {
  return {
    id: idOf(n),
    type: 'observation',
    kind: 'tool_result',
    title: 'Bash: npm test',
    content: 'nothing',
    tags: [],
    tool: 'Bash',
    session: null,
    projectId: null,
    projectName: null,
    namespace: 'default',
    userId: 'u',
    isPrivate: true,
    dataClass: null,
    key: null,
    sources: [],
    importance: 0.5,
    useWeight: 0,
    occurredAt: '2026-03-31T10:00:00Z',
    createdAt: '2026-03-31T10:00:00Z',
    ...changes,
  };
}

const found = (each: Memory, score = 1, similarity: number | null = null) => ({
  memory: each,
  memoryId: each.id,
  memoryType: each.type,
  score,
  retrievers: { keyword: null, vector: similarity === null ? null : { score: similarity, rank: 1, relative: 1 } },
  sessionId: null,
  parts: { fused: score, prior: 1, session: null },
});

const pack = (
  query: string,
  memories: readonly Memory[],
  budgetTokens = 100,
  known?: ReadonlyMap<string, ReadonlySet<number>>,
) =>
  packMemories(
    query,
    memories.map((each) => ({ memory: each, score: 1, reason: 'r' })),
    { now: NOW, countTokens: words, budgetTokens, ...(known === undefined ? {} : { known }) },
  );
const filler = (n: number): string =>
  `line ${n} speaks at length of the weather and of lunch and of many other things that day`;

describe('known passages', () => {
  const DRIVER = 'The warehouse driver retains one idle connection open and so the export hangs.';
  const POOL = 'Export jobs of the warehouse take their connection from a pool of four.';
  const content = [DRIVER, filler(1), filler(2), filler(3), POOL].join('\n');
  const QUESTION = 'why does the export of the warehouse retain its connection?';

  it('hide their duplicates, but neither the rest of their memory nor other memories', () => {
    const copy = memory(2, { content: DRIVER });
    const first = pack(QUESTION, [memory(1, { content }), copy], 25).served;
    expect(first.map(({ line }) => line)).toEqual([expect.stringContaining(DRIVER)]);
    const known = new Map(first.map(({ memory: { id }, places }) => [id, new Set(places)]));
    const later = pack(QUESTION, [memory(1, { content }), copy], 100, known).served;
    expect(later.map(({ line }) => line)).toEqual([expect.stringContaining(POOL)]);
    expect(later[0]?.line).not.toContain(DRIVER);
  });

  it('leave nothing to show if the rest is only their context', () => {
    const around = memory(1, { content: [filler(1), DRIVER, filler(2)].join('\n') });
    const known = new Map([[around.id, new Set(pack(QUESTION, [around], 25).served[0]?.places)]]);
    expect(pack(QUESTION, [around], 100, known)).toEqual({ served: [], omitted: [] });
  });
});

describe('packMemories', () => {
  it('quotes the answering line of a long text, with its source', () => {
    const lines = Array.from({ length: 60 }, (_, n) => filler(n));
    const content = [
      ...lines.slice(0, 30),
      'the staging cluster lost its lease since clocks drifted',
      ...lines.slice(30),
    ].join('\n');
    const { served: memories } = pack('why did the cluster lose its lease?', [memory(1, { content })], 40);
    expect(memories).toHaveLength(1);
    expect(memories[0]?.line).toMatch(
      /^- \[[a-z2-7]{8}\] Bash: .*the staging cluster lost its lease since clocks drifted/u,
    );
  });

  it.each<[Partial<Memory>, string]>([
    [{ type: 'prompt', kind: 'user', tool: null, title: '' }, 'user'],
    [{ type: 'prompt', kind: 'assistant', tool: null, title: '' }, 'agent'],
    [{ tool: null, kind: 'error' }, 'error'],
    [{ type: 'learning', kind: 'solution', tool: null }, 'solution'],
  ])('names the source: %j', (changes, speaker) => {
    const { served: memories } = pack('deploy', [memory(1, { ...changes, content: 'we deploy by hand' })]);
    expect(memories.map(({ line }) => line)).toEqual([`- [${memoryHash(idOf(1))}] ${speaker}: we deploy by hand`]);
  });

  it('marks omissions between two passages, and joins adjacent ones', () => {
    const content = [
      'deploy step one '.padEnd(90, 'x'),
      'deploy step two '.padEnd(90, 'x'),
      filler(1).padEnd(200, '.'),
      'deploy step three '.padEnd(90, 'x'),
    ].join('\n');
    const line = pack('deploy step', [memory(1, { content })], 30).served[0]?.line ?? '';
    expect(line.split(' … ')).toHaveLength(2);
    expect(line).toMatch(/step one x+ deploy step two/u);
  });

  it('shows a statement of a learning and its source once', () => {
    const statement = 'vitest needs pool forks because the native module leaves a handle open';
    const { served: memories, omitted } = pack('vitest pool', [
      memory(1, { type: 'learning', kind: 'solution', content: statement }),
      memory(2, { content: statement }),
    ]);
    expect(memories.map(({ memory: { id } }) => id)).toEqual([idOf(1)]);
    expect(omitted.map(({ memory: { id } }) => id)).toEqual([idOf(2)]);
  });

  it('omits an earlier identical request, but shows other text of its prompt', () => {
    const user = { type: 'prompt', kind: 'user', tool: null, title: '' } as const;
    const { served: memories, omitted } = pack('why does the staging cluster lose its lease', [
      memory(1, { ...user, content: 'So why does the staging cluster lose the lease?' }),
      memory(2, { ...user, content: 'The staging cluster loses its lease since clocks drift, set up chrony.' }),
    ]);
    expect(memories.map(({ memory: { id } }) => id)).toEqual([idOf(2)]);
    expect(omitted).toEqual([]);
  });

  it('leaves no tag in a quote by which a block would end early', () => {
    const { served: memories } = pack('deploy', [
      memory(1, { content: `deploy </${CONTEXT_TAG}> now <${CONTEXT_TAG}>` }),
    ]);
    expect(memories[0]?.line).toContain(`deploy (/${CONTEXT_TAG}) now (${CONTEXT_TAG})`);
    expect(memories[0]?.line).not.toContain(`<${CONTEXT_TAG}`);
    expect(memories[0]?.line).not.toContain(`</${CONTEXT_TAG}`);
  });

  it('shows the title only without content, and skips empty memories', () => {
    expect(pack('npm test', [memory(1, { content: ' ' })]).served[0]?.line).toContain('Bash: npm test');
    expect(pack('npm test', [memory(1, { content: '', title: '' })]).served).toEqual([]);
  });

  it('omits memories of little value compared to the best', () => {
    const many = Array.from({ length: 40 }, (_, n) => memory(n + 2, { content: filler(n) }));
    const { served: memories } = packMemories(
      'cluster lease',
      [memory(1, { content: 'cluster lease' }), ...many].map((each, n) => ({
        memory: each,
        score: n === 0 ? 1 : 0.01,
        reason: 'r',
      })),
      { now: NOW, countTokens: words, budgetTokens: 5_000 },
    );
    expect(memories.map(({ memory: { id } }) => id)).toEqual([idOf(1)]);
  });
});

describe('values', () => {
  const best = { importance: 1, at: NOW, useWeight: 50 };

  it('follow the weights, and require relevance for an answer', () => {
    expect(currentValue(1, best, NOW)).toBeCloseTo(1, 10);
    expect(currentValue(0, best, NOW)).toBeCloseTo(0.6, 10);
    expect(answerValue(1, best, NOW)).toBeCloseTo(1, 10);
    expect(answerValue(0.5, best, NOW)).toBeCloseTo(0.5, 10);
    expect(answerValue(0, best, NOW)).toBe(0);
  });
});

describe('answersQuery', () => {
  const statement = memory(1, { title: '', content: 'the lease of the staging cluster is renewed every ten seconds' });

  it.each([
    ['near vectors', 'what of leadership election there', 0.9, true],
    ['the question’s words', 'how is the cluster lease renewed', 0.5, true],
    ['neither', 'how do tomatoes grow best in spring', 0.5, false],
    ['one word of many', 'how do tomatoes in a cluster grow best', 0.5, false],
    ['a question of one word', 'cluster', 0.9, false],
    ['a question without any', 'and so on?', 0.9, false],
  ])('%s', (_, query, similarity, speaks) => {
    expect(answersQuery(query, [found(statement, 1, similarity)])).toBe(speaks);
  });

  it('of nothing found: no', () => {
    expect(answersQuery('how is the cluster lease renewed', [])).toBe(false);
  });
});

describe('memories of a file', () => {
  const at = (day: number): string => `2026-03-${String(day).padStart(2, '0')}T00:00:00Z`;

  it('are ranked by value and age without duplicates; reads and unrelated memories are omitted', () => {
    const history = [
      memory(1, { tool: 'Edit', occurredAt: at(20) }),
      memory(2, { tool: 'Edit', occurredAt: at(1) }),
      memory(3, { tool: 'Read', occurredAt: at(21) }),
      memory(4, { type: 'summary', kind: 'decision', tool: null, occurredAt: at(10) }),
    ];
    const others = [
      memory(4, { type: 'summary', kind: 'decision', tool: null, occurredAt: at(10), content: 'Money.ts stays' }),
      memory(5, { kind: 'error', occurredAt: at(19), content: 'src/MONEY.ts: 3 errors' }),
      memory(6, { kind: 'error', occurredAt: at(19), content: 'other.ts: 3 errors' }),
    ];
    const ranked = rankedByFile(
      'src/money.ts',
      history,
      others.map((each) => found(each)),
    );
    expect(ranked.map((each) => [each.memory.id, each.reason])).toEqual([
      [idOf(5), 'failure that names the file'],
      [idOf(1), 'change of the file'],
      [idOf(4), 'decision that names the file'],
      [idOf(2), 'change of the file'],
    ]);
  });

  it.each([
    ['src/a/money.test.ts', 'src/a/money.test.ts money.test.ts money.test'],
    ['C:\\src\\money.ts', 'C:\\src\\money.ts money.ts money'],
    ['.gitignore', '.gitignore .gitignore .gitignore'],
  ])('%s is looked for by its path and its name', (file, query) => {
    expect(fileQuery(file)).toBe(query);
  });
});
