import { describe, expect, it } from 'vitest';
import { pack } from '../../domain/packing.ts';
import type { PackCandidate } from '../../domain/packing.ts';
import { randomFrom, shuffled } from './support/random.ts';

function candidate(id: string, value: number, tokens: number, section = 0): PackCandidate {
  return { id, text: id, section, value, tokens };
}

const idsOf = (entries: readonly PackCandidate[]): string[] => entries.map(({ id }) => id);
const worthOf = (entries: readonly PackCandidate[]): number => entries.reduce((sum, { value }) => sum + value, 0);
const tokensOf = (entries: readonly PackCandidate[]): number => entries.reduce((sum, { tokens }) => sum + tokens, 0);

/** The best choice by trying all of them. */
function optimum(candidates: readonly PackCandidate[], budget: number): number {
  let best = 0;
  for (let choice = 0; choice < 2 ** candidates.length; choice += 1) {
    const chosen = candidates.filter((_, n) => Math.floor(choice / 2 ** n) % 2 === 1);
    if (tokensOf(chosen) <= budget) best = Math.max(best, worthOf(chosen));
  }
  return best;
}

describe('pack', () => {
  it('chooses by value per token, not by value', () => {
    expect(
      idsOf(pack([candidate('big', 0.9, 90), candidate('a', 0.5, 10), candidate('b', 0.5, 10)], 95).chosen),
    ).toEqual(['a', 'b']);
  });

  it('fills the rest with smaller candidates', () => {
    expect(
      idsOf(pack([candidate('a', 0.9, 60), candidate('b', 0.6, 50), candidate('c', 0.1, 40)], 100).chosen),
    ).toEqual(['a', 'c']);
  });

  it('takes the one that is worth more than all that greed would take', () => {
    const { chosen, omitted } = pack([candidate('dense', 0.1, 1), candidate('large', 0.9, 100)], 100);
    expect(idsOf(chosen)).toEqual(['large']);
    expect(idsOf(omitted)).toEqual(['dense']);
  });

  it('uses the budget to the last token and no further', () => {
    const candidates = [candidate('a', 0.5, 50), candidate('b', 0.5, 50)];
    expect(idsOf(pack(candidates, 100).chosen)).toEqual(['a', 'b']);
    expect(idsOf(pack(candidates, 99).chosen)).toEqual(['a']);
  });

  it.each([0, -1, -1_000])('chooses nothing under a budget of %i', (budget) => {
    expect(pack([candidate('a', 1, 1)], budget)).toMatchObject({ chosen: [], omitted: [{ id: 'a' }] });
  });

  it('omits candidates without value', () => {
    expect(
      idsOf(pack([candidate('a', 0, 1), candidate('b', -1, 1), candidate('c', Number.NaN, 1)], 100).chosen),
    ).toEqual([]);
  });

  it('includes free candidates', () => {
    expect(idsOf(pack([candidate('a', 0.1, 0), candidate('b', 0.2, 0), candidate('c', 0.9, 10)], 10).chosen)).toEqual([
      'c',
      'b',
      'a',
    ]);
  });

  it('orders by section, then by value, then by id', () => {
    const candidates = [
      candidate('d', 0.9, 1, 2),
      candidate('c', 0.1, 1, 0),
      candidate('b', 0.5, 1, 1),
      candidate('a', 0.5, 1, 1),
      candidate('e', 0.8, 1, 0),
    ];
    expect(idsOf(pack(candidates, 100).chosen)).toEqual(['e', 'c', 'a', 'b', 'd']);
  });

  it('returns every candidate as chosen or omitted, unchanged', () => {
    const candidates = Object.freeze([candidate('a', 0.5, 50), candidate('b', 0.4, 80), candidate('c', 0, 1)]);
    const { chosen, omitted } = pack(candidates, 100);
    expect(idsOf([...chosen, ...omitted]).toSorted()).toEqual(['a', 'b', 'c']);
  });
});

describe('any candidates', () => {
  const random = randomFrom(9);
  const samples = Array.from({ length: 150 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 10) }, (_, n) =>
      // Few different numbers, so that there are ties.
      candidate(`m${n}`, Math.floor(random() * 5) / 4, Math.floor(random() * 8) * 10, Math.floor(random() * 3)),
    ),
  );

  it('never exceed the budget, and are worth half of the optimum at least', () => {
    for (const candidates of samples) {
      const budget = Math.floor(random() * 150);
      const { chosen } = pack(candidates, budget);
      expect(tokensOf(chosen)).toBeLessThanOrEqual(budget);
      expect(worthOf(chosen)).toBeGreaterThanOrEqual(optimum(candidates, budget) / 2 - 1e-9);
    }
  });

  it('are chosen the same whatever their order', () => {
    for (const candidates of samples) {
      const expected = pack(candidates, 80).chosen;
      for (let round = 0; round < 5; round += 1)
        expect(pack(shuffled(candidates, random), 80).chosen).toEqual(expected);
    }
  });
});
