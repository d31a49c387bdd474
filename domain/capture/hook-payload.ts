import { instantOf } from './instant.ts';

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
const WHOLE_CHARS = { cwd: 4096, root: 4096, git_remote: 2048, machine_id: 256, repository: 256 } as const;

/** The value of a field, or that it is malformed. */
type Read = { readonly value: string } | 'odd';

function nameOf(value: unknown): Read {
  return typeof value === 'string' ? { value: value.slice(0, NAME_CHARS).toWellFormed() } : 'odd';
}

function wholeOf(chars: number): (value: unknown) => Read {
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
  ['event_id', wholeOf(Number.POSITIVE_INFINITY)],
  ...Object.entries(WHOLE_CHARS).map(([name, chars]) => [name, wholeOf(chars)] as const),
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
    const told = given === null || given === '' ? undefined : read(given);
    const value = told === undefined || told === 'odd' ? undefined : told.value;
    if (told === 'odd') odd.push([name, given]);
    if (value !== given) changed.push([name, value]);
  }
  // Nearly every hook is well-formed: nothing is copied then.
  if (changed.length === 0) return body;
  if (odd.length > 0) changed.push(['not_understood', Object.fromEntries(odd)]);
  return { ...body, ...Object.fromEntries(changed) };
}
