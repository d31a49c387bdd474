import { realpath, readdir, lstat } from 'node:fs/promises';
import path from 'node:path';

/** A transcript in its folder. */
export interface TranscriptFileEntry {
  /** Absolute. */
  readonly path: string;
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** Why a folder is not read. */
export type FolderRefusal = 'not_absolute' | 'not_allowed' | 'missing';

const EXTENSION = '.jsonl';
/** Project folder, session, subagents: three levels, and more for future hosts. */
const MAX_DEPTH = 6;
const MAX_FILES = 50_000;
const MAX_FOLDERS = 20_000;

function isInside(folder: string, root: string): boolean {
  const relative = path.relative(root, folder);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
}

function code(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The folder behind all links; null when there is none. */
async function resolved(folder: string): Promise<string | null> {
  try {
    return await realpath(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].includes(code(error)))
      return null;
    throw error;
  }
}

/**
 * Returns the real path of a folder within one of the roots, or why it is not read. Does not reveal whether a path outside the roots exists:
 * such a folder is `not_allowed` either way, and so is a link that leads out.
 */
export async function allowedFolder(
  folder: string,
  roots: readonly string[],
): Promise<{ readonly folder: string } | { readonly refusal: FolderRefusal }> {
  if (!path.isAbsolute(folder)) return { refusal: 'not_absolute' };
  const wanted = path.resolve(folder);
  const real = await resolved(wanted);
  for (const root of roots) {
    const realRoot = await resolved(root);
    if (real !== null && realRoot !== null && isInside(real, realRoot)) return { folder: real };
    if (real === null && (isInside(wanted, path.resolve(root)) || (realRoot !== null && isInside(wanted, realRoot))))
      return { refusal: 'missing' };
  }
  return { refusal: 'not_allowed' };
}

/**
 * Returns every transcript under a folder, the longest unchanged first: a copy of an older file is then read after it. Links are not
 * followed. At most 50,000 files; `unreadable` counts folders and files that could not be read.
 */
export async function listTranscripts(
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly files: TranscriptFileEntry[]; readonly unreadable: number }> {
  const files: TranscriptFileEntry[] = [];
  let unreadable = 0;
  const waiting = [{ folder, depth: 0 }];
  for (let looked = 0; looked < MAX_FOLDERS; looked += 1) {
    const next = waiting.pop();
    if (next === undefined || files.length >= MAX_FILES) break;
    signal.throwIfAborted();
    const entries = await readdir(next.folder, { withFileTypes: true }).catch(() => null);
    if (entries === null) {
      unreadable += 1;
      continue;
    }
    for (const entry of entries) {
      const at = path.join(next.folder, entry.name);
      if (entry.isDirectory() && next.depth < MAX_DEPTH) waiting.push({ folder: at, depth: next.depth + 1 });
      if (!entry.isFile() || !entry.name.endsWith(EXTENSION)) continue;
      const stats = await lstat(at).catch(() => null);
      if (stats === null || !stats.isFile()) unreadable += 1;
      else files.push({ path: at, size: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs) });
    }
  }
  const sorted = files
    .toSorted((a, b) => a.modifiedAtMs - b.modifiedAtMs || (a.path < b.path ? -1 : 1))
    .slice(0, MAX_FILES);
  return { files: sorted, unreadable };
}
