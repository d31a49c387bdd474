import { indexable, wellFormed } from '../capture/well-formed.ts';
import type { SessionBoundRow } from './rows.ts';

/** claude-mem's name for the sessions of its own observer, which say nothing of anybody's work. */
const OBSERVER_PROJECT = 'observer-sessions';
const MANUAL = 'manual-';
const HOST_CHARS = 64;
/** Ours for what claude-mem calls a platform. Others are carried as they are. */
const HOSTS: ReadonlyMap<string, string> = new Map([
  ['claude', 'claude-code'],
  ['claude-code', 'claude-code'],
  ['codex', 'codex-cli'],
  ['codex-cli', 'codex-cli'],
  ['gemini', 'gemini-cli'],
]);

/** The session of ours that a row belongs to. */
export interface SessionRef {
  readonly host: string;
  readonly externalId: string;
  /** A folder's basename; null where none is told. */
  readonly project: string | null;
  /** `manual`: a person's notes; `orphan`: the session is gone there. */
  readonly kind: 'session' | 'manual' | 'orphan';
}

/** Equal for two rows if, and only if, they are of one session. */
export function sessionKey({ host, externalId }: Pick<SessionRef, 'host' | 'externalId'>): string {
  return `${host}\u001f${externalId}`;
}

/** The host of a platform; rows of before there was such a column are of the only one that there was. */
export function hostOf(platform: string | null): string {
  const name = (platform ?? 'claude').trim().toLowerCase();
  const plain = name.replaceAll(/[^a-z0-9._-]+/g, '-').slice(0, HOST_CHARS);
  return HOSTS.get(plain) ?? (plain === '' ? 'claude-code' : plain);
}

/** Whether a row tells of claude-mem's observer. */
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
 * The session of a row: by platform and the host's own session id. A name that claude-mem made itself (notes by a person, and observer ids
 * whose session is gone) is its database's alone, so `source`, the fingerprint, stands in it.
 */
export function sessionOf(source: string, row: SessionBoundRow): SessionRef {
  const host = hostOf(row.platform_source);
  const project = named(row.session_project ?? row.project);
  const given =
    row.content_session_id ?? (row.memory_session_id?.startsWith(MANUAL) === true ? row.memory_session_id : null);
  if (given === null) {
    const gone = `claude-mem:${source}:${row.memory_session_id ?? 'unknown'}`;
    return { host, externalId: indexable(wellFormed(gone)), project: named(row.project), kind: 'orphan' };
  }
  if (given.startsWith(MANUAL))
    return { host, externalId: indexable(wellFormed(`claude-mem:${source}:${given}`)), project, kind: 'manual' };
  return { host, externalId: indexable(wellFormed(given)), project, kind: 'session' };
}
