/** RFC 3339, with or without an offset. PostgreSQL accepts offsets of up to 15 hours. */
const WRITTEN = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|z|[+-](?:0\d|1[0-5]):?[0-5]\d)?$/;
/** Threshold between seconds (fewer digits until the year 5138) and milliseconds (more since 1973). */
const LEAST_MS = 1e11;
const LAST_MS = Date.UTC(9999, 11, 31);

/** Returns the time of a number of milliseconds or seconds since 1970, distinguished by size; null for an impossible one. */
function ofNumber(value: number): string | null {
  const ms = value < LEAST_MS ? value * 1_000 : value;
  return value > 0 && ms <= LAST_MS ? new Date(Math.round(ms)).toISOString() : null;
}

/**
 * Returns a time as RFC 3339 for PostgreSQL: RFC 3339 unchanged, a time without zone as UTC, a number as milliseconds or seconds since
 * 1970. Null for anything else.
 */
export function instantOf(value: unknown): string | null {
  if (typeof value === 'number') return ofNumber(value);
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, day, time, zone = 'Z'] = WRITTEN.exec(value) ?? [];
  if (day === undefined || time === undefined || day.startsWith('0000')) return null;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const written = `${day}T${time.length === 5 ? `${time}:00` : time}${offset}`;
  // JavaScript accepts the 31st of any month, which becomes another day in UTC.
  const moment = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(Date.parse(written)) || !moment.toISOString().startsWith(day)) return null;
  return written;
}
