import { describe, expect, test } from 'vitest';
import { forecastUse } from '../../../domain/costs/forecast.ts';
import type { DayUse } from '../../../domain/costs/forecast.ts';

/** A Monday. */
const TODAY = '2026-06-01';
const DAY_MS = 86_400_000;
const before = (days: number): string => new Date(Date.parse(TODAY) - days * DAY_MS).toISOString().slice(0, 10);
const use = (daysBefore: number, tokens: number): DayUse => ({ day: before(daysBefore), tokens, usd: tokens / 1e6 });
const isWeekend = (day: string): boolean => [0, 6].includes(new Date(day).getUTCDay());

describe('without a full day', () => {
  test.each([
    ['no call ever', null],
    ['a first call today', TODAY],
  ])('forecasts nothing for calls (%s)', (_, first) => {
    expect(forecastUse([], first, TODAY, 30)).toEqual({
      method: 'none',
      daysObserved: 0,
      firstDay: null,
      lastDay: null,
      days: [],
      total: null,
    });
  });
});

describe('a few days', () => {
  test('have their mean as forecast; a single one has no range', () => {
    const one = forecastUse([use(1, 1_000)], before(1), TODAY, 2);
    expect(one).toMatchObject({ method: 'mean', daysObserved: 1, firstDay: before(1), lastDay: before(1) });
    expect(one.days).toEqual([
      {
        day: '2026-06-02',
        tokens: { expected: 1_000, low: null, high: null },
        usd: { expected: 0.001, low: null, high: null },
      },
      {
        day: '2026-06-03',
        tokens: { expected: 1_000, low: null, high: null },
        usd: { expected: 0.001, low: null, high: null },
      },
    ]);
    expect(one.total?.tokens).toEqual({ expected: 2_000, low: null, high: null });
  });

  test('count days without a call since the first one', () => {
    const few = forecastUse([use(4, 1_000)], before(4), TODAY, 1);
    expect(few.daysObserved).toBe(4);
    expect(few.days[0]?.tokens.expected).toBe(250);
  });

  test('have a range by their spread, never below zero', () => {
    // Standard deviation 1000: the range is 1.2816 of it to each side.
    const [day] = forecastUse([use(1, 5_000), use(2, 6_000), use(3, 7_000)], before(3), TODAY, 1).days;
    expect(day?.tokens.expected).toBeCloseTo(6_000);
    expect(day?.tokens.low).toBeCloseTo(6_000 - 1_281.6);
    expect(day?.tokens.high).toBeCloseTo(6_000 + 1_281.6);
    const [wide] = forecastUse([use(1, 0), use(2, 10_000)], before(2), TODAY, 1).days;
    expect(wide?.tokens.low).toBe(0);
  });

  test('make the total less sure the further it goes, and the surer the more were seen', () => {
    const width = (observed: number, ahead: number): number => {
      const days = Array.from({ length: observed }, (_, n) => use(n + 1, 5_000 + (n % 2) * 1_000));
      const total = forecastUse(days, before(observed), TODAY, ahead).total?.tokens;
      return ((total?.high ?? 0) - (total?.expected ?? 0)) / ahead;
    };
    expect(width(4, 30)).toBeGreaterThan(width(12, 30));
    // Over many days single ones even out, and how little is known of the mean stays.
    expect(width(4, 1)).toBeGreaterThan(width(4, 30));
    expect(width(4, 90) / width(4, 30)).toBeGreaterThan(0.9);
  });
});

describe('two weeks and more', () => {
  const weeks = (count: number): DayUse[] =>
    Array.from({ length: count }, (_, n) => use(n + 1, isWeekend(before(n + 1)) ? 0 : 8_000));

  test('are distinguished by weekday', () => {
    const forecast = forecastUse(weeks(28), before(28), TODAY, 7);
    expect(forecast).toMatchObject({ method: 'mean_by_weekday', daysObserved: 28 });
    for (const { day, tokens } of forecast.days)
      expect([day, tokens.expected]).toEqual([day, isWeekend(day) ? 0 : 8_000]);
    expect(forecast.total?.tokens).toEqual({ expected: 40_000, low: 40_000, high: 40_000 });
  });

  test('are needed for that', () => {
    expect(forecastUse(weeks(13), before(13), TODAY, 7).method).toBe('mean');
    expect(forecastUse(weeks(14), before(14), TODAY, 7).method).toBe('mean_by_weekday');
  });

  test('uses at most 28 of them, without today', () => {
    const forecast = forecastUse([...weeks(28), use(29, 1e9), use(0, 1e9)], before(300), TODAY, 7);
    expect(forecast).toMatchObject({ daysObserved: 28, firstDay: before(28), lastDay: before(1) });
    expect(forecast.total?.tokens.expected).toBe(40_000);
  });

  test('cover real figures with their range', () => {
    // Seeded noise around 10,000: of the next 28 days about four of five are within the range from the first 28.
    let seed = 7;
    const noise = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648 - 0.5;
    };
    const days = Array.from({ length: 28 }, (_, n) => use(n + 1, 10_000 + 6_000 * noise()));
    const coming = Array.from({ length: 200 }, () => 10_000 + 6_000 * noise());
    const [day] = forecastUse(days, before(28), TODAY, 1).days;
    const inside = coming.filter((tokens) => tokens >= (day?.tokens.low ?? 0) && tokens <= (day?.tokens.high ?? 0));
    expect(inside.length / coming.length).toBeGreaterThan(0.6);
    expect(inside.length / coming.length).toBeLessThan(0.95);
  });
});
