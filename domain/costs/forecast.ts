const DAY_MS = 86_400_000;
/** Most days that a forecast is based on. */
export const OBSERVED_DAYS = 28;
/** With fewer days each weekday was observed once at most. */
const WEEKDAYS_FROM = 14;
/** 80 % of a normal distribution is within this many standard deviations. */
const Z_80 = 1.2816;

/** Use on one UTC day. */
export interface DayUse {
  /** YYYY-MM-DD */
  readonly day: string;
  readonly tokens: number;
  readonly usd: number;
}

/** An expected value with its 80 % range; the range is null after a single observed day. */
export interface Expected {
  readonly expected: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface ExpectedDay {
  readonly day: string;
  readonly tokens: Expected;
  readonly usd: Expected;
}

export interface Forecast {
  readonly method: 'none' | 'mean' | 'mean_by_weekday';
  /** Full UTC days observed from the first call on, days without a call included. */
  readonly daysObserved: number;
  /** YYYY-MM-DD; null without observations. */
  readonly firstDay: string | null;
  readonly lastDay: string | null;
  /** Empty without observations. */
  readonly days: readonly ExpectedDay[];
  readonly total: { readonly tokens: Expected; readonly usd: Expected } | null;
}

function dayAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** Expected value of a series by weekday (0–6), and the spread of its days. */
interface Fit {
  readonly at: (weekday: number) => number;
  /** Standard deviation of the residuals; null if unknown. */
  readonly spread: number | null;
}

function fit(values: readonly number[], weekdays: readonly number[], byWeekday: boolean): Fit {
  const level = mean(values);
  // A weekday's mean is the level times its factor: the factors need not be stored.
  const means = new Map(
    [...new Set(weekdays)].map((weekday) => [weekday, mean(values.filter((_, n) => weekdays[n] === weekday))]),
  );
  const at = (weekday: number): number => (byWeekday ? (means.get(weekday) ?? level) : level);
  const free = values.length - (byWeekday ? means.size : 1);
  if (free < 1) return { at, spread: null };
  const squares = values.map((value, n) => (value - at(weekdays[n] ?? 0)) ** 2);
  return { at, spread: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / free) };
}

function within(expected: number, deviation: number | null): Expected {
  if (deviation === null) return { expected, low: null, high: null };
  return { expected, low: Math.max(0, expected - Z_80 * deviation), high: expected + Z_80 * deviation };
}

/**
 * Forecasts use from the last 28 full days: their mean, by weekday if two weeks or more were observed. The range reflects the spread of
 * single days, and for the total also the uncertainty of the mean. Assumes no trend. @param used days with calls, in any order;
 * @param firstDay day of the first call ever; @param today is not included
 */
export function forecastUse(used: readonly DayUse[], firstDay: string | null, today: string, ahead: number): Forecast {
  const todayMs = Date.parse(today);
  const fromMs = Math.max(todayMs - OBSERVED_DAYS * DAY_MS, firstDay === null ? todayMs : Date.parse(firstDay));
  const observed = Math.max(0, Math.round((todayMs - fromMs) / DAY_MS));
  if (observed === 0) return { method: 'none', daysObserved: 0, firstDay: null, lastDay: null, days: [], total: null };
  const byDay = new Map(used.map((use) => [use.day, use]));
  const past = Array.from({ length: observed }, (_, n) => fromMs + n * DAY_MS);
  const weekdays = past.map((ms) => new Date(ms).getUTCDay());
  const byWeekday = observed >= WEEKDAYS_FROM;
  const coming = Array.from({ length: ahead }, (_, n) => todayMs + (n + 1) * DAY_MS);
  const series = (of: (use: DayUse) => number) => {
    const fitted = fit(
      past.map((ms) => {
        const use = byDay.get(dayAt(ms));
        return use === undefined ? 0 : of(use);
      }),
      weekdays,
      byWeekday,
    );
    const days = coming.map((ms) => within(fitted.at(new Date(ms).getUTCDay()), fitted.spread));
    const sum = days.reduce((total, day) => total + day.expected, 0);
    const deviation = fitted.spread === null ? null : fitted.spread * Math.sqrt(ahead + ahead ** 2 / observed);
    return { days, total: within(sum, deviation) };
  };
  const [tokens, usd] = [series((use) => use.tokens), series((use) => use.usd)];
  const none: Expected = { expected: 0, low: null, high: null };
  return {
    method: byWeekday ? 'mean_by_weekday' : 'mean',
    daysObserved: observed,
    firstDay: dayAt(fromMs),
    lastDay: dayAt(todayMs - DAY_MS),
    days: coming.map((ms, n) => ({ day: dayAt(ms), tokens: tokens.days[n] ?? none, usd: usd.days[n] ?? none })),
    total: { tokens: tokens.total, usd: usd.total },
  };
}
