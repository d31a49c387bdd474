import type { Parameter } from '../router/query.ts';

export const DAY_MS = 86_400_000;

/** Returns the UTC day of a time in ms as YYYY-MM-DD. */
export function utcDayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Returns the start of a UTC day (YYYY-MM-DD) in ms; null for what is no day. */
export function startOfUtcDay(day: string): number | null {
  const ms = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // A browser accepts the 31st of February as a day of March.
  return Number.isNaN(ms) || utcDayOf(ms) !== day ? null : ms;
}

function local(day: string | undefined, time: string): string | undefined {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined;
  const at = new Date(`${day}T${time}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** Returns the start of a local day (YYYY-MM-DD) as RFC 3339; undefined for what is no day. */
export function startOfDay(day: string | undefined): string | undefined {
  return local(day, '00:00:00');
}

/** Returns the end of a local day (YYYY-MM-DD) as RFC 3339; undefined for what is no day. */
export function endOfDay(day: string | undefined): string | undefined {
  return local(day, '23:59:59.999');
}

/** A UTC day as YYYY-MM-DD in an address; undefined if there is none. */
export function dayParameter(): Parameter<string | undefined> {
  return {
    read: (given) => (given === null || startOfUtcDay(given) === null ? undefined : given),
    write: (value) => value ?? null,
  };
}
