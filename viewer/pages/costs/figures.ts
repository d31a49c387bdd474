import type { UsageGroup } from '../../contract/index.ts';
import { on } from '../../link/loadable.ts';
import type { ChartPoint } from '../../parts/chart-scale.ts';
import { DAY_MS, dayParameter, utcDayOf } from '../../parts/days.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';

export const RANGES = ['7', '30', '90', '365'] as const;
export const GROUPS = ['model', 'provider', 'project', 'session', 'operation', 'user'] as const;
export const UNITS = ['usd', 'tokens'] as const;
export type Unit = (typeof UNITS)[number];

/** What the page shows, in its address. */
export const FILTERS = {
  days: choiceParameter(RANGES),
  by: choiceParameter(GROUPS),
  unit: choiceParameter(UNITS),
  user: textParameter(),
  /** A UTC day whose models, operations and sessions are shown. */
  day: dayParameter(),
  minutes: textParameter(),
  hourly: textParameter(),
  mtok: textParameter(),
} as const;

/** Events that may change what models cost. */
export const concernsCosts = on('summary.generated', 'learning.extracted', 'system.alert');

/** Returns the start of the first of the UTC days up to and with today, as RFC 3339; the same all day, so that one request serves the page. */
export function firstMoment(days: number, now: number): string {
  return new Date(Math.floor(now / DAY_MS) * DAY_MS - (days - 1) * DAY_MS).toISOString();
}

/** Returns the day of a bar: the chart has every day from the first one with use on. */
export function dayAt(days: readonly UsageGroup[], index: number): string {
  const first =
    days
      .map(({ key }) => key ?? '')
      .filter(Boolean)
      .toSorted()[0] ?? '';
  return utcDayOf(Date.parse(first) + index * DAY_MS);
}

/** Returns the number of a field; undefined for an empty or impossible one. */
export function numberIn(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Returns what a group used, in dollars or tokens. */
export function amountOf(group: UsageGroup, unit: Unit): number {
  return unit === 'usd' ? group.usd : group.input_tokens + group.output_tokens;
}

export interface Stacks {
  readonly series: readonly string[];
  readonly points: readonly ChartPoint[];
}

/**
 * Returns the days of a chart, oldest first, with the largest groups as series and what remains of each day as the last one. `days` are the sums of each
 * day, `parts` the largest groups by day; without parts there is one series. Days without use between others are 0.
 */
export function stacksOf(
  days: readonly UsageGroup[],
  parts: readonly UsageGroup[],
  unit: Unit,
  names: { readonly all: string; readonly others: string; readonly none: string },
): Stacks {
  const totals = new Map(days.map((group) => [group.key ?? '', amountOf(group, unit)]));
  const known = [...totals.keys()].filter(Boolean).toSorted();
  const first = Date.parse(known[0] ?? '');
  const last = Date.parse(known.at(-1) ?? '');
  const dates: string[] = [];
  for (let at = first; at <= last; at += DAY_MS) dates.push(utcDayOf(at));
  const sums = new Map<string | null, number>();
  for (const part of parts) sums.set(part.key, (sums.get(part.key) ?? 0) + amountOf(part, unit));
  const keys = [...sums].toSorted(([, a], [, b]) => b - a).map(([key]) => key);
  const amounts = new Map(parts.map((group) => [`${group.day ?? ''} ${group.key ?? ''}`, amountOf(group, unit)]));
  const points = dates.map((date): ChartPoint => {
    const values = keys.map((key) => amounts.get(`${date} ${key ?? ''}`) ?? 0);
    const rest = (totals.get(date) ?? 0) - values.reduce((sum, value) => sum + value, 0);
    // Sums of rounded dollars differ in their last digit.
    return { label: date.slice(5), values: [...values, Math.max(0, rest < 1e-9 ? 0 : rest)] };
  });
  if (keys.length === 0) return { series: [names.all], points };
  const nameOf = (key: string | null): string => parts.find((part) => part.key === key)?.name ?? key ?? names.none;
  const hasRest = points.some(({ values }) => (values.at(-1) ?? 0) > 1e-6);
  return {
    series: [...keys.map(nameOf), ...(hasRest ? [names.others] : [])],
    points: hasRest ? points : points.map(({ label, values }) => ({ label, values: values.slice(0, -1) })),
  };
}
