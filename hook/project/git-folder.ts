import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

export interface GitFolder {
  /** Top of the main working tree, also when asked from another worktree. */
  readonly root: string;
  /** Where configuration and history are: shared by all worktrees. */
  readonly common: string;
}

const POINTER = /^gitdir:\s*(.+?)\s*$/m;

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // Not there, or not ours to read: no repository.
  }
}

/** The repository that a folder lies in, found without running git; null outside of one. */
export function findGitFolder(from: string): GitFolder | null {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = gitFolderAt(folder);
    if (found !== null) return found;
    if (dirname(folder) === folder) return null;
  }
}

function gitFolderAt(folder: string): GitFolder | null {
  const git = join(folder, '.git');
  const stat = statSync(git, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (stat.isDirectory())
    return statSync(join(git, 'HEAD'), { throwIfNoEntry: false }) ? { root: folder, common: git } : null;
  // A worktree or a submodule: the file says where the rest is.
  const pointer = POINTER.exec(readText(git) ?? '')?.[1];
  if (pointer === undefined) return null;
  const own = resolve(folder, pointer);
  const shared = readText(join(own, 'commondir'))?.trim();
  if (shared === undefined || shared === '') return { root: folder, common: own };
  const common = resolve(own, shared);
  // Worktrees of a bare repository have no main one beside it: the repository itself stands for it.
  return { root: basename(common) === '.git' ? dirname(common) : common, common };
}
