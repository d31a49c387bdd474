import type { ProjectHint } from './event.ts';

/**
 * A git remote in one form whatever it was written as: host and path in lower-case host, no scheme, credentials, port 22/443 or `.git`.
 * `git@github.com:Owner/Name.git` and `https://user:token@github.com/Owner/Name` both give `github.com/Owner/Name`. Null when it is none.
 */
export function normaliseRemote(remote: string): string | null {
  const text = remote.trim();
  const scp = /^(?:[^@/\s]+@)?([A-Za-z0-9.-]+):(?!\/\/)([^\s]+)$/.exec(text);
  const url = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/\s]*@)?([A-Za-z0-9.-]+)(?::(\d+))?\/([^\s?#]+)/i.exec(text);
  const host = url?.[1] ?? scp?.[1];
  const path = url?.[3] ?? scp?.[2];
  if (host === undefined || path === undefined) return null;
  const port = url?.[2] !== undefined && url[2] !== '22' && url[2] !== '443' ? `:${url[2]}` : '';
  const name = path
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  return name === '' ? null : `${host.toLowerCase()}${port}/${name}`;
}

export interface ProjectIdentity {
  /** Every way this hint names the project, the surest first; the first one that is known wins. */
  readonly aliases: readonly string[];
  readonly name: string;
  readonly remote: string | null;
}

/** What a hint says of the project's identity: its remote, else machine and path, else its name. Null when it says nothing. */
export function projectIdentity(hint: ProjectHint | null): ProjectIdentity | null {
  if (hint === null) return null;
  const remote = hint.remote === undefined ? null : normaliseRemote(hint.remote);
  const path = hint.path === undefined ? undefined : hint.path.replace(/(?<=.)[/\\]+$/, '');
  const aliases = [
    ...(remote === null ? [] : [`remote:${remote}`]),
    ...(path === undefined || path === '' ? [] : [`path:${hint.machineId ?? ''}:${path}`]),
    ...(remote === null && (path === undefined || path === '') && hint.name !== undefined ? [`name:${hint.name}`] : []),
  ];
  if (aliases.length === 0) return null;
  const base = (remote ?? path ?? hint.name ?? '').split(/[/\\]/).findLast((part) => part !== '');
  return { aliases, name: hint.name ?? base ?? 'project', remote };
}
