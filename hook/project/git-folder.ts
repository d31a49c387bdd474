import { statSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { HookUser } from '../environment.ts';
import { readText } from './read-text.ts';

export interface GitFolder {
  /** Top of the main working tree, also for other worktrees. */
  readonly root: string;
  /** Where configuration and history are: shared by all worktrees. */
  readonly common: string;
}

const POINTER = /^gitdir:\s*(.+?)\s*$/m;
const POINTER_BYTES = 16 * 1024;

/**
 * Returns the repository of a folder, found without running git; null outside of one. Does not look above the home folder or
 * a mount point, and does not enter a repository of another user, as git does not. Throws what the file system throws.
 */
export function findGitFolder(from: string, user: HookUser): GitFolder | null {
  const home = statOf(user.home);
  let device: number | undefined;
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const stat = statOf(folder);
    if (stat !== undefined && stat.dev !== (device ??= stat.dev)) return null;
    const found = stat === undefined ? null : gitFolderAt(folder, user);
    if (found === 'foreign') return null;
    if (found !== null) return found;
    const isHome = home !== undefined && stat?.ino === home.ino && stat.dev === home.dev;
    if (isHome || dirname(folder) === folder) return null;
  }
}

function gitFolderAt(folder: string, user: HookUser): GitFolder | 'foreign' | null {
  const git = join(folder, '.git');
  const stat = statOf(git);
  if (stat === undefined) return null;
  if (!isOwn(folder, user) || !isOwn(git, user)) return 'foreign';
  if (stat.isDirectory()) return statOf(join(git, 'HEAD')) === undefined ? null : { root: folder, common: git };
  // A worktree or a submodule: the file names the git directory.
  const pointer = POINTER.exec(readText(git, POINTER_BYTES) ?? '')?.[1];
  if (pointer === undefined) return null;
  const own = resolve(folder, pointer);
  if (!isOwn(own, user)) return 'foreign';
  const shared = readText(join(own, 'commondir'), POINTER_BYTES)?.trim();
  if (shared === undefined || shared === '') return { root: folder, common: own };
  const common = resolve(own, shared);
  if (!isOwn(common, user)) return 'foreign';
  // A bare repository has no main worktree: the repository itself is the root.
  return { root: basename(common) === '.git' ? dirname(common) : common, common };
}

function isOwn(path: string, user: HookUser): boolean {
  const owner = statOf(path)?.uid;
  return user.ids === null || (owner !== undefined && user.ids.includes(owner));
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * Returns a repository without commits and settings, made once for each length of ids: in it git reads nothing that another one
 * configures. Null where the data directory cannot be written.
 */
export function emptyRepository(dataDir: string, format: 'sha1' | 'sha256'): string | null {
  const folder = join(dataDir, 'empty-git', format);
  const head = join(folder, 'HEAD');
  if (existsSync(head)) return folder;
  try {
    for (const name of ['objects', 'refs']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    if (format === 'sha256')
      writeFileSync(
        join(folder, 'config'),
        '[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n',
      );
    // Last: without it git finds no repository here.
    writeFileSync(head, 'ref: refs/heads/none\n');
    return folder;
  } catch {
    return null; // A data directory that this user cannot write.
  }
}
