import { describe, expect, test } from 'vitest';
import { extractGraph } from '../../../domain/graph/extract.ts';
import type { GraphCall, GraphInput, GraphNote } from '../../../domain/graph/extract.ts';
import type { SessionGraph } from '../../../domain/graph/graph.ts';

const NOTHING: GraphInput = {
  projectName: 'shop',
  roots: ['/src/shop'],
  calls: [],
  failures: [],
  prompts: [],
  notes: [],
};

function call(id: string, more: Partial<GraphCall>): GraphCall {
  return { id, tool: null, command: null, filesRead: [], filesModified: [], occurredAtMs: 1_000, ...more };
}

function note(id: string, more: Partial<GraphNote>): GraphNote {
  return {
    id,
    source: 'summary',
    kind: 'change',
    title: 'A title',
    text: '',
    tags: [],
    evidence: [],
    occurredAtMs: 2_000,
    ...more,
  };
}

function named(graph: SessionGraph, type: string): string[] {
  return graph.entities.filter((entity) => entity.type === type).map((entity) => entity.label);
}

function related(graph: SessionGraph, type: string): string[] {
  const label = (place: number) => graph.entities[place]?.label ?? '?';
  return graph.relations
    .filter((relation) => relation.type === type)
    .map((relation) => `${label(relation.from)} → ${label(relation.to)}`);
}

describe('tool calls', () => {
  const graph = extractGraph({
    ...NOTHING,
    calls: [
      call('1', { tool: 'Edit', filesModified: ['/src/shop/api/Server.ts'] }),
      call('2', { tool: 'Read', filesRead: ['/src/shop/api/server.ts', '/etc/hosts'] }),
      call('3', { tool: 'Bash', command: 'cd api && NODE_ENV=test npx vitest run | tail -5' }),
      call('4', { tool: 'mcp__github__create_issue' }),
    ],
  });

  test('extracts files relative to the project root, one entity regardless of case', () => {
    expect(named(graph, 'file')).toEqual(['api/Server.ts', '/etc/hosts']);
    expect(related(graph, 'part_of')).toEqual(['api/Server.ts → shop', '/etc/hosts → shop']);
    expect(graph.entities.find((entity) => entity.name === 'api/server.ts')?.mentions).toMatchObject([
      { sourceType: 'observation', sourceId: '1', quote: null },
      { sourceId: '2' },
    ]);
  });

  test('extracts tools and programs, without agent and shell built-ins', () => {
    expect(named(graph, 'tool')).toEqual(['vitest', 'github: create_issue']);
    expect(related(graph, 'uses')).toEqual(['shop → vitest', 'shop → github: create_issue']);
  });

  test('without a project relate to nothing', () => {
    const alone = extractGraph({ ...NOTHING, projectName: null, calls: [call('1', { filesRead: ['a.ts'] })] });
    expect(named(alone, 'file')).toEqual(['a.ts']);
    expect(alone.relations).toEqual([]);
  });
});

describe('failures and fixes', () => {
  const failed = 'Running 12 tests\n  TypeError: total is not a function\n1 failed';
  const graph = extractGraph({
    ...NOTHING,
    calls: [call('edit', { tool: 'Edit', filesModified: ['/src/shop/money.ts'] })],
    failures: [{ id: 'failed', content: failed, occurredAtMs: 500 }],
    notes: [
      note('fix', {
        kind: 'bugfix',
        title: 'Rounding uses total of the cart',
        text: 'The TypeError came from money.ts',
        tags: ['rounding', 'ts', 'bugfix'],
        evidence: [
          { rowId: 'failed', quote: 'TypeError: total is not a function' },
          { rowId: 'edit', quote: '/src/shop/money.ts' },
        ],
      }),
    ],
  });

  test('errors are quoted by the line that names them', () => {
    expect(graph.entities.find((entity) => entity.type === 'error')).toMatchObject({
      name: 'typeerror',
      label: 'TypeError',
      mentions: [
        { sourceId: 'failed', quote: 'TypeError: total is not a function' },
        { sourceId: 'fix', sourceType: 'summary', quote: 'TypeError: total is not a function' },
      ],
    });
  });

  test('a fix solves its error, and the file that was changed for it causes it', () => {
    expect(related(graph, 'solves')).toEqual(['Rounding uses total of the cart → TypeError']);
    expect(related(graph, 'causes')).toEqual(['money.ts → TypeError']);
  });

  test('relates names of one note once, without direction', () => {
    expect(named(graph, 'concept')).toEqual(['rounding']);
    expect(related(graph, 'related_to').toSorted()).toEqual(
      [
        'rounding → Rounding uses total of the cart',
        'TypeError → money.ts',
        'rounding → TypeError',
        'rounding → money.ts',
      ].toSorted(),
    );
  });

  test('a concept causes the error that was found out', () => {
    const found = extractGraph({
      ...NOTHING,
      notes: [note('n', { kind: 'discovery', text: 'A stale lock raises EBUSY', tags: ['lock files'] })],
    });
    expect(related(found, 'causes')).toEqual(['lock files → EBUSY']);
  });
});

test('a file that only a note names is no file of the graph', () => {
  const graph = extractGraph({
    ...NOTHING,
    notes: [note('n', { kind: 'bugfix', text: 'Fixed invented.ts with TypeError' })],
  });
  expect(named(graph, 'file')).toEqual([]);
  expect(related(graph, 'causes')).toEqual([]);
});

test('code that two notes name is a concept, code of one is not', () => {
  const notes = [
    note('1', { text: '`parseCart` is slow, so is `once`' }),
    note('2', { text: 'parseCart() caches now' }),
  ];
  expect(named(extractGraph({ ...NOTHING, notes }), 'concept')).toEqual(['parsecart']);
  const prompts = [{ id: 'p', content: 'Look at once:\n why is ONCE_PER_DAY not read?', occurredAtMs: 1 }];
  const extracted = extractGraph({ ...NOTHING, prompts, notes: [note('1', { text: 'ONCE_PER_DAY is read late' })] });
  expect(extracted.entities).toMatchObject([
    {
      type: 'concept',
      name: 'once_per_day',
      mentions: [{ sourceType: 'summary' }, { sourceType: 'prompt', quote: 'why is ONCE_PER_DAY not read?' }],
    },
  ]);
});

describe('bounds', () => {
  const calls = Array.from({ length: 500 }, (_, n) =>
    call(`c${n}`, { filesRead: [`f${n}.ts`, 'same.ts'], command: 'git log' }),
  );
  const graph = extractGraph({ ...NOTHING, calls });

  test('hold for a long session', () => {
    expect(named(graph, 'file')).toHaveLength(60);
    expect(graph.relations.length).toBeLessThanOrEqual(300);
    for (const entity of graph.entities) expect(entity.mentions.length).toBeLessThanOrEqual(8);
    for (const relation of graph.relations) expect(relation.evidence.length).toBeLessThanOrEqual(5);
  });

  test('is deterministic', () => {
    expect(extractGraph({ ...NOTHING, calls })).toEqual(graph);
  });

  test('names and quotes have a length, and no half characters', () => {
    const long = extractGraph({
      ...NOTHING,
      calls: [call('1', { filesRead: ['😀'.repeat(300)] })],
      failures: [{ id: 'f', content: `TypeError ${'x'.repeat(1_000)}`, occurredAtMs: 1 }],
    });
    for (const entity of long.entities) {
      expect(entity.name.length).toBeLessThanOrEqual(200);
      expect(entity.name.isWellFormed()).toBe(true);
      for (const mention of entity.mentions) expect(mention.quote?.length ?? 0).toBeLessThanOrEqual(300);
    }
  });
});
