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

/** A hook's JSON whose common fields are valid or absent; all other fields are the host's and may be missing or malformed. */
export interface HookPayload {
  readonly session_id: string;
  readonly cwd?: string | undefined;
  readonly hook_event_name?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly agent_type?: string | undefined;
  /** Time of the event, if the host or our client adds one. RFC 3339. */
  readonly timestamp?: string | undefined;
  /** Id of this delivery, if our client adds one. */
  readonly event_id?: string | undefined;
  readonly [field: string]: unknown;
}

/** Names and ids are truncated here. */
const NAME_CHARS = 256;
/** Longer paths and ids are dropped: a truncated one would identify something else. */
const UNTRUNCATED_CHARS = { cwd: 4096, root: 4096, git_remote: 2048, machine_id: 256, repository: 256 } as const;

/** The value of a field, or that it is malformed. */
type Read = { readonly value: string } | 'odd';

function nameOf(value: unknown): Read {
  return typeof value === 'string' ? { value: value.slice(0, NAME_CHARS).toWellFormed() } : 'odd';
}

function untruncated(chars: number): (value: unknown) => Read {
  return (value) => (typeof value === 'string' && value.length <= chars ? { value } : 'odd');
}

function timeOf(value: unknown): Read {
  const time = instantOf(value);
  return time === null ? 'odd' : { value: time };
}

const FIELDS: readonly (readonly [string, (value: unknown) => Read])[] = [
  ['hook_event_name', nameOf],
  ['agent_id', nameOf],
  ['agent_type', nameOf],
  ['timestamp', timeOf],
  // Keys that exceed the index limit are hashed later: never truncated here.
  ['event_id', untruncated(Number.POSITIVE_INFINITY)],
  ...Object.entries(UNTRUNCATED_CHARS).map(([name, chars]) => [name, untruncated(chars)] as const),
];

/**
 * Reads the fields that every host sends in the same form. Malformed optional fields are treated as absent and copied to
 * `not_understood`, which ends up in the row's metadata; null and empty fields are absent.
 */
export function readHookPayload(body: { readonly session_id: string; readonly [field: string]: unknown }): HookPayload {
  const changed: [string, unknown][] = [];
  const odd: [string, unknown][] = [];
  for (const [name, read] of FIELDS) {
    const given = body[name];
    if (given === undefined) continue;
    const readField = given === null || given === '' ? undefined : read(given);
    const value = readField === undefined || readField === 'odd' ? undefined : readField.value;
    if (readField === 'odd') odd.push([name, given]);
    if (value !== given) changed.push([name, value]);
  }
  // Nearly every hook is well-formed: nothing is copied then.
  if (changed.length === 0) return body;
  if (odd.length > 0) changed.push(['not_understood', Object.fromEntries(odd)]);
  return { ...body, ...Object.fromEntries(changed) };
}
