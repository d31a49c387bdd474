import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../engine-error.ts';

/** PostgreSQL refuses to run as root: a root process must run it in a namespace or as another user. */
export type RunAs =
  | { readonly kind: 'self' }
  /** User namespace that maps root to another id: files on disk remain root's. */
  | { readonly kind: 'namespace'; readonly uid: number; readonly gid: number }
  /** Another system user, which must own its folders and be able to search their parents. */
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number };

export interface Invocation {
  readonly file: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const TOOL_TIMEOUT_MS = 10_000;
const USER_NAME = 'postgres';
/** Placeholder for the user that a start would create. */
const NOT_YET_CREATED: SystemUser = { name: USER_NAME, uid: -1, gid: -1 };
const OTHERS_MAY_SEARCH = 0o001;

/**
 * Returns the user or namespace for PostgreSQL. `folders` must be accessible: programs and data directory. Creates a
 * system user only if allowed and nothing else works.
 * @throws EngineError `privileges` if nothing works
 */
export function chooseRunAs(
  folders: readonly string[],
  options: { readonly mayCreateUser: boolean } = { mayCreateUser: true },
): RunAs {
  if (process.geteuid?.() !== 0) return { kind: 'self' };
  // PostgreSQL looks its user up by id, so the system must know the id.
  const inside = systemUsers().find((user) => user.name === USER_NAME) ?? systemUsers().find((user) => user.uid !== 0);
  if (inside && namespaceWorks(inside)) return { kind: 'namespace', uid: inside.uid, gid: inside.gid };
  const closed = folders.map((folder) => closedFolderAbove(folder)).find((folder) => folder !== null);
  if (closed !== undefined) {
    throw new EngineError(
      'privileges',
      `PostgreSQL does not run as root. This system allows no user namespaces (unshare), and the user ${USER_NAME} cannot ` +
        `search ${closed}. Run as another user, or chmod o+x ${closed}, or choose another --data-dir.`,
    );
  }
  const user =
    systemUsers().find((known) => known.name === USER_NAME) ??
    (options.mayCreateUser ? createSystemUser() : NOT_YET_CREATED);
  return { kind: 'user', uid: user.uid, gid: user.gid };
}

/** Returns true for the placeholder of a user that the first start would create. */
export function isUserMissing(runAs: RunAs): boolean {
  return runAs.kind === 'user' && runAs.uid === NOT_YET_CREATED.uid;
}

/** Wraps a program to run as chosen. The wrapper execs, so the process id remains. */
export function invoke(runAs: RunAs, file: string, args: readonly string[]): Invocation {
  if (runAs.kind === 'self') return { file, args };
  const { uid, gid } = runAs;
  if (runAs.kind === 'user') return { file, args, uid, gid };
  return { file: 'unshare', args: ['--user', `--map-user=${uid}`, `--map-group=${gid}`, file, ...args] };
}

/** Changes the owner of a folder and its content if needed. */
export function giveTo(runAs: RunAs, folder: string): void {
  if (runAs.kind === 'self') return;
  const [uid, gid] = runAs.kind === 'user' ? [runAs.uid, runAs.gid] : [0, 0];
  if (statSync(folder).uid === uid) return;
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder], { stdio: 'ignore' });
}

function namespaceWorks(user: SystemUser): boolean {
  const probe = invoke({ kind: 'namespace', uid: user.uid, gid: user.gid }, 'true', []);
  return spawnSync(probe.file, [...probe.args], { stdio: 'ignore', timeout: TOOL_TIMEOUT_MS }).status === 0;
}

/** Returns the first parent folder of a path that other users cannot search, or null. */
export function closedFolderAbove(folder: string): string | null {
  const steps = path.resolve(folder).split(path.sep);
  for (let depth = 1; depth <= steps.length; depth += 1) {
    const step = steps.slice(0, depth).join(path.sep) || path.sep;
    const found = statSync(step, { throwIfNoEntry: false });
    if (found && (found.mode & OTHERS_MAY_SEARCH) === 0) return step;
  }
  return null;
}

function systemUsers(): SystemUser[] {
  const users: SystemUser[] = [];
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid) users.push({ name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
}

function createSystemUser(): SystemUser {
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', USER_NAME], {
    stdio: 'ignore',
    timeout: TOOL_TIMEOUT_MS,
  });
  const created = systemUsers().find((user) => user.name === USER_NAME);
  if (created) return created;
  throw new EngineError(
    'privileges',
    `PostgreSQL does not run as root, this system allows no user namespaces (unshare), and no user ${USER_NAME} could be created. Run as another user.`,
  );
}
