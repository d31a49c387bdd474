/** RFC 3339 with its offset, or without one. PostgreSQL knows no zone further than 15 hours off. */
const WRITTEN = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|z|[+-](?:0\d|1[0-5]):?[0-5]\d)?$/;
/** Seconds have fewer digits than this until the year 5138, and milliseconds more since 1973. */
const LEAST_MS = 1e11;
const LAST_MS = Date.UTC(9999, 11, 31);

/** A number of milliseconds or seconds since 1970, told apart by its size; null for none that a clock shows. */
function ofNumber(value: number): string | null {
  const ms = value < LEAST_MS ? value * 1_000 : value;
  return value > 0 && ms <= LAST_MS ? new Date(Math.round(ms)).toISOString() : null;
}

/**
 * A moment as RFC 3339, which PostgreSQL takes: what is written so already as it is, a time without a zone as UTC, a number as milliseconds or
 * seconds since 1970. Null for what is no moment.
 */
export function instantOf(value: unknown): string | null {
  if (typeof value === 'number') return ofNumber(value);
  if (typeof value !== 'string' || value.length > 64) return null;
  const [, day, time, zone = 'Z'] = WRITTEN.exec(value) ?? [];
  if (day === undefined || time === undefined || day.startsWith('0000')) return null;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const written = `${day}T${time.length === 5 ? `${time}:00` : time}${offset}`;
  // JavaScript takes the 31st of any month for a day; as a moment of UTC it is another one then.
  const moment = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(Date.parse(written)) || !moment.toISOString().startsWith(day)) return null;
  return written;
}
