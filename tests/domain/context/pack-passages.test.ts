import { describe, expect, it } from 'vitest';
import { packPassages } from '../../../domain/context/pack-passages.ts';
import type { PackedGroup, PassageGroup, ValuedPassage } from '../../../domain/context/pack-passages.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import { randomFrom, shuffled } from '../support/random.ts';

function passage(place: number, text: string, value: number, tokens = 10): ValuedPassage {
  return { place, text, value, tokens, terms: new Set(termsOf(text)) };
}

const group = (id: string, passages: readonly ValuedPassage[], headTokens = 10): PassageGroup => ({
  id,
  headTokens,
  passages,
});
const served = (packed: readonly PackedGroup<PassageGroup>[]) =>
  packed.map(({ group: { id }, passages }) => `${id}:${passages.map(({ place }) => place).join('')}`);
const costOf = (packed: readonly PackedGroup<PassageGroup>[]): number =>
  packed.reduce((sum, { tokens }) => sum + tokens, 0);

describe('packPassages', () => {
  it('prefers several short passages over one long one of slightly more value', () => {
    const groups = [
      group('long', [passage(0, 'a full page of words', 1, 80)]),
      group('a', [passage(0, 'alpha', 0.5)]),
      group('b', [passage(0, 'beta', 0.5)]),
    ];
    expect(served(packPassages(groups, 90))).toEqual(['a:0', 'b:0']);
  });

  it('counts a memory’s head once: its further passages are cheaper than another memory', () => {
    const groups = [group('a', [passage(0, 'one', 1), passage(3, 'two', 0.6)]), group('b', [passage(0, 'three', 0.9)])];
    expect(served(packPassages(groups, 30))).toEqual(['a:03']);
    expect(served(packPassages(groups, 50))).toEqual(['a:03', 'b:0']);
  });

  it('returns passages of one memory in order, memories by value', () => {
    const groups = [
      group('a', [passage(5, 'late', 0.9), passage(1, 'early', 0.3)]),
      group('b', [passage(0, 'best', 2)]),
    ];
    expect(served(packPassages(groups, 100))).toEqual(['b:0', 'a:15']);
  });

  it('skips repetitions by a summary, its source and a learning', () => {
    const statement = 'vitest needs pool forks because the native module retains a handle';
    const groups = [
      group('learning', [passage(0, statement, 1)]),
      group('row', [passage(0, `${statement}.`, 0.9), passage(1, 'the handle was closed by hand before', 0.2)]),
      group('other', [passage(0, 'vitest runs in threads here and no one knows why that is so', 0.5)]),
    ];
    expect(served(packPassages(groups, 500))).toEqual(['learning:0', 'other:0', 'row:1']);
  });

  it('shows short passages whose words others have, but no duplicates', () => {
    const groups = [
      group('a', [passage(0, 'npm test passed with two warnings', 1)]),
      group('b', [passage(0, 'npm test', 0.5)]),
      group('c', [passage(0, 'npm test', 0.4)]),
    ];
    expect(served(packPassages(groups, 500))).toEqual(['a:0', 'b:0']);
  });

  it.each([0, -5, 19])('serves nothing under a budget of %i, too small for a head and a passage', (budget) => {
    expect(packPassages([group('a', [passage(0, 'one', 1)])], budget)).toEqual([]);
  });

  it('omits passages without value', () => {
    expect(packPassages([group('a', [passage(0, 'one', 0), passage(1, 'two', Number.NaN)])], 100)).toEqual([]);
  });
});

it('never exceeds the budget, independent of input order', () => {
  const random = randomFrom(7);
  for (let round = 0; round < 60; round += 1) {
    const groups = Array.from({ length: 1 + Math.floor(random() * 8) }, (_, n) =>
      group(
        `g${n}`,
        Array.from({ length: Math.floor(random() * 5) }, (__, place) =>
          // Few different numbers, so that there are ties.
          passage(
            place,
            `words ${n} ${place} ${Math.floor(random() * 3)}`,
            Math.floor(random() * 4) / 3,
            1 + Math.floor(random() * 4) * 10,
          ),
        ),
        Math.floor(random() * 3) * 5,
      ),
    );
    const budget = Math.floor(random() * 160);
    const packed = packPassages(groups, budget);
    expect(costOf(packed)).toBeLessThanOrEqual(budget);
    expect(packPassages(shuffled(groups, random), budget)).toEqual(packed);
  }
});
