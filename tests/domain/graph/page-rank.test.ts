import { expect, test } from 'vitest';
import { personalisedPageRank } from '../../../domain/graph/page-rank.ts';

const edge = (from: string, to: string, weight = 1) => ({ from, to, weight });
const shares = (edges: ReturnType<typeof edge>[], seeds: string[]) => personalisedPageRank(edges, seeds);
const of = (ranks: ReadonlyMap<string, number>, name: string) => ranks.get(name) ?? 0;

test('nearer and heavier is more, and shares sum to one', () => {
  const ranks = shares(
    [edge('seed', 'heavy', 3), edge('light', 'seed'), edge('heavy', 'far'), edge('a', 'b')],
    ['seed'],
  );
  expect(of(ranks, 'seed')).toBeGreaterThan(of(ranks, 'heavy'));
  expect(of(ranks, 'heavy')).toBeGreaterThan(of(ranks, 'light'));
  expect(of(ranks, 'light')).toBeGreaterThan(0);
  expect(of(ranks, 'far')).toBeGreaterThan(0);
  expect(ranks.has('a')).toBe(false);
  expect([...ranks.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
});

test('two nodes: the share of the seed is 1 / (1 + 0.85)', () => {
  expect(of(shares([edge('seed', 'other')], ['seed']), 'seed')).toBeCloseTo(1 / 1.85, 1);
});

test('retains the share of a seed without relations; returns nothing without seeds', () => {
  const ranks = shares([edge('a', 'a'), edge('b', 'c', 0)], ['alone', 'alone', 'b']);
  expect([of(ranks, 'alone'), of(ranks, 'b')]).toEqual([expect.closeTo(0.5, 9), expect.closeTo(0.5, 9)]);
  expect(shares([edge('a', 'b')], []).size).toBe(0);
});
