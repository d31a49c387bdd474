import { expect, test } from 'vitest';
import { RETURN_FORMULAS, returnOf } from '../../../domain/costs/return.ts';

const FACTS = { sessionStarts: 2, startTokens: 1_000, sourceTokens: 51_000, usedMemories: 3, spentUsd: 0.5 };
const ALL = { minutesPerMemory: 4, hourlyUsd: 60, usdPerMTok: 3 };
const NONE = { minutesPerMemory: null, hourlyUsd: null, usdPerMTok: null };

test('is the saved amount divided by the spent amount', () => {
  expect(returnOf(FACTS, ALL)).toEqual({
    savedTokens: 50_000,
    savedTokensUsd: 0.15,
    savedMinutes: 12,
    savedTimeUsd: 12,
    netUsd: 11.65,
    ratio: 24.3,
  });
});

test('can be a loss', () => {
  const figures = returnOf({ ...FACTS, sourceTokens: 0, usedMemories: 0 }, ALL);
  expect(figures).toMatchObject({ savedTokens: -1_000, savedMinutes: 0 });
  expect(figures.netUsd).toBeCloseTo(-0.503);
});

test('assumes no missing values', () => {
  expect(returnOf(FACTS, NONE)).toEqual({
    savedTokens: 50_000,
    savedTokensUsd: null,
    savedMinutes: null,
    savedTimeUsd: null,
    netUsd: null,
    ratio: null,
  });
  expect(returnOf(FACTS, { ...NONE, minutesPerMemory: 4 })).toMatchObject({ savedMinutes: 12, savedTimeUsd: null });
  expect(returnOf(FACTS, { ...NONE, usdPerMTok: 3 })).toMatchObject({ savedTokensUsd: 0.15, netUsd: -0.35 });
});

test('is null without data', () => {
  const figures = returnOf({ sessionStarts: 0, startTokens: 0, sourceTokens: 0, usedMemories: 0, spentUsd: 0.5 }, ALL);
  expect(Object.values(figures)).toEqual([null, null, null, null, null, null]);
});

test('has no ratio if nothing was spent', () => {
  expect(returnOf({ ...FACTS, spentUsd: 0 }, ALL)).toMatchObject({ netUsd: 12.15, ratio: null });
});

test('has a formula for each of its figures', () => {
  const named = Object.keys(RETURN_FORMULAS).map((name) =>
    name.replaceAll(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase()),
  );
  expect(named).toEqual(Object.keys(returnOf(FACTS, ALL)));
});
