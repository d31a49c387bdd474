import { describe, expect, it } from 'vitest';
import { fuse } from '../../domain/fusion.ts';
import type { RetrieverResult } from '../../domain/fusion.ts';
import type { RecallHit } from '../../domain/ports/vector-index.ts';
import { randomFrom, shuffled } from './support/random.ts';

function hit(memoryId: string, score: number): RecallHit {
  return { memoryId, memoryType: 'observation', score };
}

function keyword(weight: number, ...hits: readonly RecallHit[]): RetrieverResult {
  return { name: 'keyword', weight, hits };
}

function vector(weight: number, ...hits: readonly RecallHit[]): RetrieverResult {
  return { name: 'vector', weight, hits };
}

const scoresOf = (retrievers: readonly RetrieverResult[]): Record<string, number> =>
  Object.fromEntries(fuse(retrievers).map(({ memoryId, score }) => [memoryId, Math.round(score * 1_000) / 1_000]));

describe('fuse', () => {
  it('scales each retriever to 0–1 and sums by weight', () => {
    const retrievers = [
      keyword(0.25, hit('a', 20), hit('b', 15), hit('c', 10)),
      vector(0.75, hit('b', 0.9), hit('d', 0.5)),
    ];
    expect(scoresOf(retrievers)).toEqual({ b: 0.875, a: 0.25, c: 0, d: 0 });
    expect(fuse(retrievers).map(({ memoryId }) => memoryId)).toEqual(['b', 'a', 'c', 'd']);
  });

  it('returns each retriever’s score and rank', () => {
    const [best] = fuse([keyword(0.5, hit('a', 8), hit('b', 4)), vector(0.5, hit('b', 0.7), hit('c', 0.6))]);
    expect(best).toEqual({
      memoryId: 'a',
      memoryType: 'observation',
      score: 0.5,
      retrievers: { keyword: { score: 8, rank: 1, relative: 1 }, vector: null },
    });
    expect(fuse([keyword(0.5, hit('a', 8), hit('b', 4)), vector(0.5, hit('b', 0.7))])[1]?.retrievers).toEqual({
      keyword: { score: 4, rank: 2, relative: 0 },
      vector: { score: 0.7, rank: 1, relative: 1 },
    });
  });

  it('normalises weights that do not sum to one', () => {
    const hits = [hit('a', 2), hit('b', 1)];
    expect(scoresOf([keyword(3, ...hits), vector(1, hit('b', 1))])).toEqual({ a: 0.75, b: 0.25 });
    expect(scoresOf([keyword(0.35, ...hits)])).toEqual({ a: 1, b: 0 });
  });

  it('takes the best chunk for the memory, and ranks memories', () => {
    const [first, second] = fuse([keyword(1, hit('a', 5), hit('a', 9), hit('b', 7), hit('a', 1))]);
    expect(first?.retrievers.keyword).toEqual({ score: 9, rank: 1, relative: 1 });
    expect(second?.retrievers.keyword).toEqual({ score: 7, rank: 2, relative: 0 });
  });

  it('takes equal scores, and a single hit, as fully relevant', () => {
    expect(scoresOf([keyword(1, hit('a', 3), hit('b', 3))])).toEqual({ a: 1, b: 1 });
    expect(scoresOf([keyword(1, hit('a', 0))])).toEqual({ a: 1 });
    expect(scoresOf([keyword(1, hit('a', -2), hit('b', -4))])).toEqual({ a: 1, b: 0 });
  });

  it.each([
    ['no retrievers', []],
    ['retrievers without hits', [keyword(0.5), vector(0.5)]],
  ])('returns nothing for %s', (_, retrievers) => {
    expect(fuse(retrievers)).toEqual([]);
  });

  it('is independent of the order of hits, with ties by id', () => {
    const hits = Array.from({ length: 30 }, (_, n) => hit(`m${String(n).padStart(2, '0')}`, Math.floor(n / 5)));
    const random = randomFrom(5);
    const expected = fuse([keyword(0.4, ...hits), vector(0.6, ...hits)]);
    expect(expected.slice(0, 5).map(({ memoryId }) => memoryId)).toEqual(['m25', 'm26', 'm27', 'm28', 'm29']);
    for (let round = 0; round < 20; round += 1)
      expect(fuse([keyword(0.4, ...shuffled(hits, random)), vector(0.6, ...shuffled(hits, random))])).toEqual(expected);
  });

  it('stays within 0–1', () => {
    const random = randomFrom(6);
    const some = () => Array.from({ length: 20 }, (_, n) => hit(`m${n}`, random() * 50 - 10));
    for (const { score } of fuse([keyword(0.35, ...some()), vector(0.65, ...some())])) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1 + 1e-9);
    }
  });
});
