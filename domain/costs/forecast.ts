const DAY_MS = 86_400_000;
/** Days that a forecast stands on at most. */
export const OBSERVED_DAYS = 28;
/** With fewer a weekday was seen once at best. */
const WEEKDAYS_FROM = 14;
/** Of a normal distribution 80 % lie within so many standard deviations. */
const Z_80 = 1.2816;

/** What was used on one UTC day. */
export interface DayUse {
  /** YYYY-MM-DD */
  readonly day: string;
  readonly tokens: number;
  readonly usd: number;
}

/** A figure with the range in which it lies four times of five; the range is null where one day alone was seen. */
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
  /** Whole UTC days that it stands on, those without a call included, from the first call on. */
  readonly daysObserved: number;
  /** YYYY-MM-DD; null where nothing was observed. */
  readonly firstDay: string | null;
  readonly lastDay: string | null;
  /** Empty where nothing was observed. */
  readonly days: readonly ExpectedDay[];
  readonly total: { readonly tokens: Expected; readonly usd: Expected } | null;
}

function dayAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** What a series is expected to be on a weekday (0–6), and how far its days lay from that. */
interface Fit {
  readonly at: (weekday: number) => number;
  /** Standard deviation of what is left over; null where it cannot be known. */
  readonly spread: number | null;
}

function fit(values: readonly number[], weekdays: readonly number[], byWeekday: boolean): Fit {
  const level = mean(values);
  // The mean of a weekday is the level times its factor: the factors need not be kept.
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
 * What the coming days will use if they are like the last 28 whole ones: their mean, by weekday where two weeks or more were seen. The
 * range comes from how far single days lay from that, and for the total also from how little so few days tell of the mean. No trend
 * is assumed. @param used days with calls, in any order; @param firstDay day of the first call ever; @param today is not looked at itself
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
