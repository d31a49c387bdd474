import { expect, test } from 'vitest';
import { ratesBetween, sumRates } from '../../domain/instance-history.ts';

const counts = (captures: number, searches: number, requests: number) => ({ captures, searches, requests });

test('rates are those between two moments of a process, and unknown after a restart', () => {
  const before = { atMs: 1_000, counts: counts(10, 4, 100) };
  expect(ratesBetween(null, before)).toBeNull();
  expect(ratesBetween(before, { atMs: 3_000, counts: counts(35, 4, 110) })).toEqual(counts(12.5, 0, 5));
  expect(ratesBetween(before, { atMs: 3_000, counts: counts(0, 0, 1) })).toBeNull();
});

test('rates of several processes are added; without any they are unknown', () => {
  expect(sumRates([counts(1, 2, 3), null, counts(0.5, 0, 1)])).toEqual(counts(1.5, 2, 4));
  expect(sumRates([null])).toBeNull();
  expect(sumRates([])).toBeNull();
});
