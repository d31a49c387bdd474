import { indexable, wellFormed } from '../capture/well-formed.ts';
import type { SessionBoundRow } from './rows.ts';

/** claude-mem's project name of its own observer sessions, which contain no user work. */
const OBSERVER_PROJECT = 'observer-sessions';
const MANUAL = 'manual-';
const HOST_CHARS = 64;
/** Hosts by claude-mem's platform names. Others are used unchanged. */
const HOSTS: ReadonlyMap<string, string> = new Map([
  ['claude', 'claude-code'],
  ['claude-code', 'claude-code'],
  ['codex', 'codex-cli'],
  ['codex-cli', 'codex-cli'],
  ['gemini', 'gemini-cli'],
]);

/** The Recollect session of a row. */
export interface SessionRef {
  readonly host: string;
  readonly externalId: string;
  /** A folder's basename; null if unknown. */
  readonly project: string | null;
  /** `manual`: a user's notes; `orphan`: the source session is missing. */
  readonly kind: 'session' | 'manual' | 'orphan';
}

/** Equal for two rows if and only if they have the same session. */
export function sessionKey({ host, externalId }: Pick<SessionRef, 'host' | 'externalId'>): string {
  return `${host}\u001f${externalId}`;
}

/** Returns the host of a platform; rows without that column are from the only host of that time. */
export function hostOf(platform: string | null): string {
  const name = (platform ?? 'claude').trim().toLowerCase();
  const plain = name.replaceAll(/[^a-z0-9._-]+/g, '-').slice(0, HOST_CHARS);
  return HOSTS.get(plain) ?? (plain === '' ? 'claude-code' : plain);
}

/** Returns true for rows of claude-mem's observer. */
export function isObserver({
  project,
  session_project,
}: Pick<SessionBoundRow, 'project' | 'session_project'>): boolean {
  return project === OBSERVER_PROJECT || session_project === OBSERVER_PROJECT;
}

function named(project: string | null): string | null {
  const name = project?.trim() ?? '';
  return name === '' ? null : indexable(wellFormed(name));
}

/**
 * Returns the session of a row by platform and the host's session id. Names that claude-mem generates (user notes, observer ids without a
 * session) are local to its database, so they include `source`, its fingerprint.
 */
export function sessionOf(source: string, row: SessionBoundRow): SessionRef {
  const host = hostOf(row.platform_source);
  const project = named(row.session_project ?? row.project);
  const given =
    row.content_session_id ?? (row.memory_session_id?.startsWith(MANUAL) === true ? row.memory_session_id : null);
  if (given === null) {
    const orphan = `claude-mem:${source}:${row.memory_session_id ?? 'unknown'}`;
    return { host, externalId: indexable(wellFormed(orphan)), project: named(row.project), kind: 'orphan' };
  }
  if (given.startsWith(MANUAL))
    return { host, externalId: indexable(wellFormed(`claude-mem:${source}:${given}`)), project, kind: 'manual' };
  return { host, externalId: indexable(wellFormed(given)), project, kind: 'session' };
}
