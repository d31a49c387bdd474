import { createHash } from 'node:crypto';

/** A UUID, or the id of a job: its kind, a dot and a UUID. */
const ID = /^(?:[a-z-]{1,20}\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Routes whose names are a closed list once they were found. */
const NAMED = /\/(?:schedules\/:name|settings\/:key)/;
const HASH_CHARS = 32;

/** The subject of a request. */
export interface AuditSubject {
  /** The part of the route before the parameter: `sessions`, `legal-holds`. */
  readonly type: string;
  /** An id, a name of a closed list, or a hash. */
  readonly id: string;
}

/**
 * Returns the subject of a request: the first parameter of the path if it is an id, else the id of the returned resource. Other parameters are given by callers
 * and may contain text of users: they are hashed. Null if the request has neither.
 */
export function subjectOf(
  pattern: string,
  params: unknown,
  returnedId: string | null,
  isAnswered: boolean,
): AuditSubject | null {
  const [, before = '', name = ''] = /\/([\w-]+)\/:(\w+)/.exec(pattern) ?? [];
  const given = new Map(Object.entries(Object(params))).get(name);
  if (typeof given !== 'string' || given === '')
    return returnedId === null ? null : { type: pattern.split('/').at(-1) ?? '', id: returnedId };
  if (isAnswered && NAMED.test(pattern)) return { type: before, id: given };
  return { type: before, id: returnedId === null || ID.test(given) ? idOrHash(given) : returnedId };
}

/** Returns an id, and a hash of everything else: callers choose it, and no erasure can remove it from the chain. */
export function idOrHash(given: string): string {
  if (ID.test(given)) return given.toLowerCase();
  return `sha256:${createHash('sha256').update(given).digest('hex').slice(0, HASH_CHARS)}`;
}

/** Returns the id of the resource in a response; null if it has none. */
export function returnedIdOf(payload: unknown): string | null {
  if (typeof payload !== 'object' || payload === null || !('id' in payload)) return null;
  return typeof payload.id === 'string' && ID.test(payload.id) ? payload.id : null;
}
