import type { ProjectHint } from './event.ts';

/** Removes trailing slashes. No regular expression: it would rescan a long run of slashes from each of them. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && (path[end - 1] === '/' || path[end - 1] === '\\')) end -= 1;
  return path.slice(0, end);
}

/**
 * Normalises a git remote: lower-case host and path, no scheme, credentials, port 22/443 or `.git`. `git@github.com:Owner/Name.git` and
 * `https://user:token@github.com/Owner/Name` both become `github.com/Owner/Name`. Returns null if it is not a remote.
 */
export function normaliseRemote(remote: string): string | null {
  const text = remote.trim();
  // A drive letter is no host, and an @ after the colon and before a slash ends a password, not a host.
  const scp = /^(?:[^@/\s]+@)?([A-Za-z0-9._-]{2,}):(?!\/\/|[^/\s]*@)([^\s]+)$/.exec(text);
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/\s]*@)?([A-Za-z0-9._-]+)(?::(\d+))?\/([^\s?#]+)/i.exec(text);
  const host = url?.[1] ?? scp?.[1];
  const path = url?.[3] ?? scp?.[2];
  if (host === undefined || path === undefined) return null;
  const port = url?.[2] !== undefined && url[2] !== '22' && url[2] !== '443' ? `:${url[2]}` : '';
  const name = withoutEndSlashes(path.replace(/^\/+/, '')).replace(/\.git$/, '');
  return name === '' ? null : `${host.toLowerCase()}${port}/${name}`;
}

export interface ProjectIdentity {
  /** Every identifier of the project, most reliable first; the first known one wins. */
  readonly aliases: readonly string[];
  readonly name: string;
  readonly remote: string | null;
}

/** Derives the project's identity from a hint: its remote, else root commit, machine and path, else its name. Null for an empty hint. */
export function projectIdentity(hint: ProjectHint | null): ProjectIdentity | null {
  if (hint === null) return null;
  const remote = hint.remote === undefined ? null : normaliseRemote(hint.remote);
  const path = hint.path === undefined ? undefined : withoutEndSlashes(hint.path) || hint.path.slice(0, 1);
  const aliases = [
    ...(remote === null ? [] : [`remote:${remote}`]),
    // Forks share a root commit: it identifies a project only without a remote.
    ...(remote === null && hint.repository !== undefined ? [`repository:${hint.repository}`] : []),
    ...(path === undefined || path === '' ? [] : [`path:${hint.machineId ?? ''}:${path}`]),
    ...(remote === null && (path === undefined || path === '') && hint.name !== undefined ? [`name:${hint.name}`] : []),
  ];
  if (aliases.length === 0) return null;
  const base = (remote ?? path ?? hint.name ?? '').split(/[/\\]/).findLast((part) => part !== '');
  return { aliases, name: hint.name ?? base ?? 'project', remote };
}
