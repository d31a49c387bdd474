/** A time span: `from` is inclusive, `to` exclusive. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

export type CalendarUnit = 'hour' | 'day' | 'week' | 'month' | 'year';

const HOUR_MS = 3_600_000;
/** Last year that both PostgreSQL and RFC 3339 can write. */
const LAST_YEAR = 9_999;

/** Returns the calendar unit around a time, in UTC. A week starts on Monday. */
export function unitAround(at: Date, unit: CalendarUnit): Span {
  const from = new Date(at);
  from.setUTCMinutes(0, 0, 0);
  if (unit !== 'hour') from.setUTCHours(0);
  if (unit === 'week') from.setUTCDate(from.getUTCDate() - ((from.getUTCDay() + 6) % 7));
  if (unit === 'month' || unit === 'year') from.setUTCDate(1);
  if (unit === 'year') from.setUTCMonth(0);
  return { from, to: moved(from, unit, 1) };
}

/** Returns the time moved by some units; in a shorter month the last day. */
export function moved(at: Date, unit: CalendarUnit, by: number): Date {
  const to = new Date(at);
  if (unit === 'hour') return new Date(at.getTime() + by * HOUR_MS);
  if (unit === 'day' || unit === 'week') {
    to.setUTCDate(to.getUTCDate() + by * (unit === 'week' ? 7 : 1));
    return to;
  }
  const day = to.getUTCDate();
  to.setUTCDate(1);
  to.setUTCMonth(to.getUTCMonth() + by * (unit === 'year' ? 12 : 1));
  to.setUTCDate(Math.min(day, new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate()));
  return to;
}

/**
 * Returns a calendar day, month or year; null for an invalid one, like 31 April. Without a year: the newest one not after `now`. Months
 * count from 1.
 */
export function dateSpan(year: number | null, month: number | null, day: number | null, now: Date): Span | null {
  if (month === null) {
    if (year === null || year < 1 || year >= LAST_YEAR) return null;
    return { from: utc(year, 1, 1), to: utc(year + 1, 1, 1) };
  }
  if (month < 1 || month > 12) return null;
  const of = (chosen: number): Span | null => {
    if (chosen < 1 || chosen >= LAST_YEAR) return null;
    if (day === null) return { from: utc(chosen, month, 1), to: utc(chosen, month + 1, 1) };
    const from = utc(chosen, month, day);
    if (from.getUTCMonth() !== month - 1 || day < 1) return null;
    return { from, to: moved(from, 'day', 1) };
  };
  if (year !== null) return of(year);
  const thisYear = of(now.getUTCFullYear());
  // The search for a 29 February spans the distance between leap years.
  for (let back = 0; back <= 8; back += 1) {
    const span = back === 0 ? thisYear : of(now.getUTCFullYear() - back);
    if (span !== null && span.from <= now) return span;
  }
  return null;
}

/** Midnight of a day. `Date.UTC` maps years below 100 to the last century. */
function utc(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}

/** Returns the newest such weekday before the day of `now`; 1 is Monday, 7 is Sunday. */
export function lastWeekday(weekday: number, now: Date): Span {
  const today = unitAround(now, 'day').from;
  const back = (((today.getUTCDay() + 6) % 7) + 1 - weekday + 7) % 7;
  return unitAround(moved(today, 'day', back === 0 ? -7 : -back), 'day');
}
