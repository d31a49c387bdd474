import { describe, expect, test } from 'vitest';
import { CONFIDENCE_FLOOR, decayed } from '../../../domain/learning/decay.ts';
import type { Decaying } from '../../../domain/learning/decay.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.parse('2026-01-01T00:00:00Z');
const day = (n: number) => START_MS + n * DAY_MS;
const learning: Decaying = {
  useWeight: 4,
  confidence: 0.8,
  verified: false,
  lastShownAtMs: START_MS,
  decayedOnMs: START_MS,
};

describe('use', () => {
  test('counts half after thirty days, a quarter after sixty', () => {
    expect(decayed(learning, day(30)).useWeight).toBeCloseTo(2);
    expect(decayed(learning, day(60)).useWeight).toBeCloseTo(1);
  });

  test('is the same in one step as in thirty', () => {
    const step = (from: Decaying, n: number): Decaying => ({ ...from, ...decayed(from, day(n)), decayedOnMs: day(n) });
    let stepped = learning;
    for (let n = 1; n <= 200; n += 1) stepped = step(stepped, n);
    const once = decayed(learning, day(200));
    expect(stepped.useWeight).toBeCloseTo(once.useWeight, 10);
    expect(stepped.confidence).toBeCloseTo(once.confidence, 10);
  });
});

describe('confidence', () => {
  test('stays for ninety days after a session showed it', () => {
    expect(decayed(learning, day(90)).confidence).toBe(0.8);
    expect(decayed(learning, day(91)).confidence).toBeLessThan(0.8);
    expect(decayed({ ...learning, lastShownAtMs: day(50) }, day(140)).confidence).toBe(0.8);
  });

  test('is half a year and ninety days later, and never under the floor', () => {
    expect(decayed(learning, day(90 + 365)).confidence).toBeCloseTo(0.4);
    expect(decayed(learning, day(5_000)).confidence).toBe(CONFIDENCE_FLOOR);
  });

  test('does not raise values below the floor', () => {
    expect(decayed({ ...learning, confidence: 0.1 }, day(5_000)).confidence).toBe(0.1);
  });

  test('leaves verified learnings unchanged', () => {
    expect(decayed({ ...learning, verified: true }, day(5_000)).confidence).toBe(0.8);
  });
});

test.each([
  ['the same day', day(0), START_MS],
  ['an earlier day', day(-1), START_MS],
  ['the first time', day(400), null],
])('nothing changes on %s', (_name, dayMs, decayedOnMs) => {
  expect(decayed({ ...learning, decayedOnMs }, dayMs)).toEqual({ useWeight: 4, confidence: 0.8 });
});
