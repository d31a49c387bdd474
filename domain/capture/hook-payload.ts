import { instantOf } from './instant.ts';

/** A hook's JSON in which what every hook has is as it should be, or absent; everything else is the host's and may be missing or odd. */
export interface HookPayload {
  readonly session_id: string;
  readonly cwd?: string | undefined;
  readonly hook_event_name?: string | undefined;
  readonly agent_id?: string | undefined;
  readonly agent_type?: string | undefined;
  /** Time of the event, where the host or our client adds one. RFC 3339. */
  readonly timestamp?: string | undefined;
  /** Id of this delivery, where our client adds one. */
  readonly event_id?: string | undefined;
  readonly [field: string]: unknown;
}

/** Names and ids that are shown: the rest of a longer one says nothing to anybody. */
const NAME_CHARS = 256;
/** A path or an id that is cut would name something else. */
const WHOLE_CHARS = { cwd: 4096, root: 4096, git_remote: 2048, machine_id: 256, repository: 256 } as const;

/** Either what a field says, or that it says nothing that is understood. */
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
  // Keys that are too long for an index are told apart by their hash: nothing is cut here.
  ['event_id', wholeOf(Number.POSITIVE_INFINITY)],
  ...Object.entries(WHOLE_CHARS).map(([name, chars]) => [name, wholeOf(chars)] as const),
];

/**
 * What a hook's JSON says where each host says it in the same way. Of the fields that need not be there an odd one is taken as absent and
 * kept in `not_understood`, which no translation knows, so that it ends up with what else is kept of the row; null and empty ones are absent.
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
  // Nearly every hook is as it should be, and then nothing is copied.
  if (changed.length === 0) return body;
  if (odd.length > 0) changed.push(['not_understood', Object.fromEntries(odd)]);
  return { ...body, ...Object.fromEntries(changed) };
}
