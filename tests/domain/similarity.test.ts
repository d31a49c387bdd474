import { describe, expect, test } from 'vitest';
import type { SourceRow } from '../../domain/ports/model.ts';
import {
  bandKeys,
  estimatedSimilarity,
  shapeOf,
  signatureBytes,
  signatureFrom,
  signatureOf,
  novelWords,
  withoutVolatile,
} from '../../domain/similarity.ts';

const words = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `word${from + n}x`).join(' ');

describe('volatile values', () => {
  test.each([
    ['finished at 2026-01-02T03:04:05.678Z', 'finished at <time>'],
    ['on 2026-01-02', 'on <time>'],
    ['at 12:34:56', 'at <time>'],
    ['took 1.5s', 'took <duration>'],
    ['took 120 ms, then 3 minutes', 'took <duration>, then <duration>'],
    ['in /tmp/build-x81/a.ts', 'in <temp>'],
    ['in /var/folders/ab/T/x.ts here', 'in <temp> here'],
    ['commit 9fceb02d0ae5', 'commit <id>'],
    ['request 123e4567-e89b-12d3-a456-426614174000', 'request <id>'],
    ['at 0x7ffee4c0', 'at <id>'],
    ['pid 4711', 'pid <id>'],
  ])('%s', (text, plain) => {
    expect(withoutVolatile(text)).toBe(plain);
  });

  test.each([
    '3 tests failed',
    'port mapping',
    'src/added.ts',
    'accessed 42 rows',
    'version 1.2.3',
    'decade',
    '5 months',
    'at line 12',
  ])('is not: %s', (text) => {
    expect(withoutVolatile(text)).toBe(text);
  });
});

describe('a signature', () => {
  test('is equal for texts that differ in volatile values only', () => {
    expect(signatureOf('the build took 12 ms today')).toEqual(signatureOf('the build took 7.5 s today'));
  });

  test('has a stable format: stored ones must stay comparable', () => {
    expect(Array.from(signatureOf('a signature is stored').subarray(0, 4))).toEqual([
      2_557_755_041, 1_620_556_902, 2_840_971_970, 2_234_031_792,
    ]);
    expect(signatureOf('')).toHaveLength(128);
  });

  test.each([
    [words(0, 1_000), words(0, 1_000), 1, 1],
    [words(0, 1_000), words(30, 1_030), 0.88, 1],
    [words(0, 1_000), words(333, 1_333), 0.36, 0.64],
    [words(0, 1_000), words(5_000, 6_000), 0, 0.03],
  ])('estimates how much two texts share (%#)', (one, other, atLeast, atMost) => {
    const share = estimatedSimilarity(signatureOf(one), signatureOf(other));
    expect(share).toBeGreaterThanOrEqual(atLeast);
    expect(share).toBeLessThanOrEqual(atMost);
  });

  test('survives being stored', () => {
    const signature = signatureOf(words(0, 50));
    expect(signatureFrom(signatureBytes(signature))).toEqual(signature);
    expect(signatureBytes(signature)).toHaveLength(512);
  });

  test('reads texts without spaces by character', () => {
    const one = '所有时间都用世界协调时保存因为两台服务器不一致';
    expect(estimatedSimilarity(signatureOf(one), signatureOf(`${one}了`))).toBeGreaterThan(0.8);
    expect(estimatedSimilarity(signatureOf(one), signatureOf('数据库连接在重启之后没有恢复需要再试'))).toBeLessThan(
      0.1,
    );
  });
});

describe('bands', () => {
  const shared = (one: string, other: string): number => {
    const known = new Set(bandKeys(signatureOf(one), 'k'));
    return bandKeys(signatureOf(other), 'k').filter((key) => known.has(key)).length;
  };

  test('are shared by texts that are nearly the same, and by no others', () => {
    expect(shared(words(0, 1_000), words(10, 1_010))).toBeGreaterThan(4);
    expect(shared(words(0, 1_000), words(700, 1_700))).toBe(0);
  });

  test('are others for another kind', () => {
    const signature = signatureOf(words(0, 50));
    const keys = bandKeys(signature, 'one');
    expect(keys).toHaveLength(16);
    expect(bandKeys(signature, 'other').filter((key) => keys.includes(key))).toEqual([]);
    for (const key of keys) expect(BigInt.asIntN(64, key)).toBe(key);
  });
});

describe('novel words', () => {
  test.each([
    ['Times are stored in UTC.', 'Please store times in UTC.', 2],
    ['', 'anything', 0],
    ['Same words', 'words same', 0],
    ['twice twice', 'once', 1],
  ])('counts %j against %j: %i', (answer, query, count) => {
    expect(novelWords(answer, query)).toBe(count);
  });
});

const ROW: SourceRow = {
  id: 'a',
  seq: 1,
  role: 'observation',
  type: 'tool_result',
  tool: 'Bash',
  title: 'Bash: npm test',
  content: 'npm test\n\nran in 12 ms\n14 passed, 0 failed\nall is well',
  tokens: 20,
  dataClass: 'internal',
  filesRead: [],
  filesModified: [],
  occurredAt: '2026-01-02T03:04:05Z',
};

describe('the shape of a window', () => {
  const shape = (change: Partial<SourceRow>): string => shapeOf([{ ...ROW, ...change }]);

  test.each<readonly [string, Partial<SourceRow>]>([
    ['ids, places and times', { id: 'b', seq: 9, occurredAt: '2030-01-01T00:00:00Z', tokens: 1 }],
    ['durations', { content: ROW.content.replace('12 ms', '3.4s') }],
    ['words without information', { content: ROW.content.replace('all is well', 'all is fine') }],
  ])('does not change with %s', (_, change) => {
    expect(shape(change)).toBe(shapeOf([ROW]));
  });

  test.each<readonly [string, Partial<SourceRow>]>([
    ['a number of an outcome', { content: ROW.content.replace('14 passed', '13 passed') }],
    ['a pass that is a failure', { content: ROW.content.replace('0 failed', 'none passed') }],
    ['the kind', { type: 'error' }],
    ['the tool', { tool: 'Shell' }],
    ['the command', { title: 'Bash: npm run build' }],
    ['a file that was read', { filesRead: ['src/a.ts'] }],
    ['a file that is named', { content: `${ROW.content} in src/other.ts` }],
    ['what was written', { filesModified: ['a.ts'], content: 'a.ts\n\nwait(30 s)' }],
  ])('changes with %s', (_, change) => {
    expect(shape(change)).not.toBe(shapeOf([ROW]));
  });

  test('changes with every word of the user and the assistant, and with every letter that was written to a file', () => {
    const prompt = { ...ROW, role: 'prompt', type: 'user', tool: null, title: '', content: 'keep the cache' } as const;
    expect(shapeOf([prompt])).not.toBe(shapeOf([{ ...prompt, content: 'drop the cache' }]));
    const reply = { ...prompt, type: 'assistant', content: 'it took 3 s to drop it' } as const;
    expect(shapeOf([reply])).not.toBe(shapeOf([{ ...reply, content: 'it took 3 s to keep it' }]));
    expect(shapeOf([reply])).toBe(shapeOf([{ ...reply, content: 'it took 9 s to drop it' }]));
    const wrote = { ...ROW, filesModified: ['a.ts'], content: 'wait(30 s)' };
    expect(shapeOf([wrote])).not.toBe(shapeOf([{ ...wrote, content: 'wait(60 s)' }]));
  });

  test('changes with the order of the rows and with their number', () => {
    const other = { ...ROW, title: 'Bash: ls' };
    expect(shapeOf([ROW, other])).not.toBe(shapeOf([other, ROW]));
    expect(shapeOf([ROW, ROW])).not.toBe(shapeOf([ROW]));
  });
});
