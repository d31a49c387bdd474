import { describe, expect, it } from 'vitest';
import { allot, type Claimant } from '../../../../models/requests/rendering/allotment.ts';

const claimant = (changes: Partial<Claimant>): Claimant => ({
  weight: 1,
  wants: 100,
  cap: 50,
  floor: 10,
  overhead: 5,
  ...changes,
});

/** Returns pseudo-random numbers that are equal in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

describe('tokens are spread', () => {
  it('in full if the budget suffices', () => {
    expect(allot([claimant({}), claimant({ wants: 7 })], 1_000)).toEqual([100, 7]);
  });

  it('by weight otherwise, never beyond the caps while another is cut', () => {
    const [light, heavy] = allot([claimant({}), claimant({ weight: 2 })], 70);
    expect(light).toBeCloseTo(20, 3);
    expect(heavy).toBeCloseTo(40, 3);
    const [capped, cut] = allot([claimant({ weight: 9 }), claimant({ cap: 100 })], 100);
    expect(capped).toBeCloseTo(50, 3);
    expect(cut).toBeCloseTo(40, 3);
  });

  it('beyond the caps by the rest', () => {
    const [first, second] = allot([claimant({ wants: 20 }), claimant({})], 100);
    expect(first).toBe(20);
    expect(second).toBeCloseTo(70, 3);
  });

  it('not to the least important ones if the floors exceed the budget, later ones first', () => {
    const shares = allot([claimant({}), claimant({ weight: 3 }), claimant({}), claimant({})], 50);
    expect(shares.map((share) => share !== null)).toEqual([false, true, false, true]);
  });

  it('to an empty list', () => {
    expect(allot([], 100)).toEqual([]);
    expect(allot([claimant({})], 0)).toEqual([null]);
  });

  it('within the budget, between the floor and the full size', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const next = numbers(seed);
      const claimants = Array.from({ length: 1 + Math.floor(next() * 30) }, () =>
        claimant({
          weight: 0.5 + next() * 6,
          wants: Math.floor(next() * 2_000),
          cap: Math.floor(next() * 400),
          floor: Math.floor(next() * 40),
        }),
      );
      const budget = Math.floor(next() * 3_000);
      const shares = allot(claimants, budget);
      const used = shares.reduce<number>((sum, share) => sum + (share === null ? 0 : share + 5), 0);
      expect(used).toBeLessThanOrEqual(budget + 0.001);
      for (const [index, share] of shares.entries()) {
        const { wants = 0, floor = 0 } = claimants[index] ?? {};
        if (share === null) continue;
        expect(share).toBeLessThanOrEqual(wants);
        expect(share).toBeGreaterThanOrEqual(Math.min(floor, wants) - 0.001);
      }
    }
  });
});
