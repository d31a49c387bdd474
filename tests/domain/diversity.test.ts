import { expect, test } from 'vitest';
import { diversified } from '../../domain/diversity.ts';

const of = (name: string, score: number, sessionId: string | null, text: string) => ({ name, score, sessionId, text });
const CANDIDATES = [
  of('a', 0.9, 's', 'The deploy failed because the disk was full'),
  of('again', 0.89, 't', 'the deploy failed, because the disk was full!'),
  of('same session', 0.88, 's', 'Prices are integer cents'),
  of('other', 0.87, 'u', 'The cache is purged at night'),
  of('far', 0.2, 'v', 'Something else'),
];
const namesOf = (weight: number, count = 10, candidates = CANDIDATES) =>
  diversified(candidates, weight, count).map(({ name }) => name);

test('lowers repetitions of a better candidate or its session; the best stays first', () => {
  expect(namesOf(0)).toEqual(['a', 'again', 'same session', 'other', 'far']);
  expect(namesOf(0.1)).toEqual(['a', 'other', 'same session', 'again', 'far']);
  expect(namesOf(1)).toEqual(['a', 'other', 'same session', 'far', 'again']);
});

test('only as many places are chosen as are shown, and none is lost', () => {
  expect(namesOf(0.1, 1)).toEqual(['a', 'again', 'same session', 'other', 'far']);
  expect(namesOf(0.1, 2)).toEqual(['a', 'other', 'again', 'same session', 'far']);
  expect(namesOf(0.5, 10, CANDIDATES.slice(0, 2))).toEqual(['a', 'again']);
});

test('memories of no session, and without text, repeat nothing', () => {
  const bare = [of('x', 0.5, null, ''), of('y', 0.49, null, ''), of('z', 0.48, null, '')];
  expect(namesOf(1, 3, bare)).toEqual(['x', 'y', 'z']);
});
