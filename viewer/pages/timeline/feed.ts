import type { FeedDensity, FeedItem } from '../../contract/index.ts';
import { DAY_MS, dayParameter, startOfUtcDay, utcDayOf } from '../../parts/days.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';

export const TYPES = ['session', 'prompt', 'observation', 'summary', 'learning'] as const;

/** Filters of the timeline, in the address. */
export const FILTERS = {
  type: choiceParameter(TYPES),
  project: textParameter(),
  session: textParameter(),
  /** The last day to show, UTC; without one, the timeline is live. */
  day: dayParameter(),
} as const;

/** Returns the end of a day as requests have it, exclusive. */
export function endOf(day: string | undefined): string | undefined {
  const start = day === undefined ? null : startOfUtcDay(day);
  return start === null ? undefined : new Date(start + DAY_MS).toISOString();
}

/** Returns what identifies an item: a session has one at its start and one at its end. */
export function keyOf({ type, id, kind }: FeedItem): string {
  return `${type} ${id} ${kind}`;
}

/** A day of the strip. */
export interface Day {
  readonly day: string;
  readonly total: number;
}

const SHOWN_DAYS = 90;

/** Returns the days of the strip: the last ones until today, or those around an earlier day. `now` in ms. */
export function rangeAround(day: string | undefined, now: number): { readonly since: string; readonly until: string } {
  const today = startOfUtcDay(utcDayOf(now)) ?? now;
  const chosen = (day === undefined ? null : startOfUtcDay(day)) ?? today;
  const isShown = chosen > today - SHOWN_DAYS * DAY_MS;
  const last = isShown ? Math.max(today, chosen) : chosen + (SHOWN_DAYS / 2) * DAY_MS;
  return {
    since: new Date(last - (SHOWN_DAYS - 1) * DAY_MS).toISOString(),
    until: new Date(last + DAY_MS).toISOString(),
  };
}

/** Returns every day of a density, oldest first, also those without items. */
export function daysOf({ since, until, data }: Pick<FeedDensity, 'since' | 'until' | 'data'>): readonly Day[] {
  const totals = new Map(data.map(({ at, total }) => [utcDayOf(Date.parse(at)), total]));
  const days: Day[] = [];
  for (let at = Date.parse(since); at < Date.parse(until); at += DAY_MS)
    days.push({ day: utcDayOf(at), total: totals.get(utcDayOf(at)) ?? 0 });
  return days;
}
