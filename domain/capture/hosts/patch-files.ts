const HEADER = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): /;
const FILES = 100;

/** Returns true for an absolute POSIX or Windows path. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}

/**
 * Returns the files that an `apply_patch` patch adds, changes, deletes or moves to, in order, without duplicates, at most 100. Relative
 * paths are resolved against `folder` if it is known.
 */
export function patchedFiles(patch: string, folder: string | null): string[] {
  const files = new Set<string>();
  for (const line of patch.split('\n')) {
    if (files.size >= FILES) break;
    const text = line.trim();
    const path = text.replace(HEADER, '');
    if (path === text) continue;
    const relative = path.replace(/^\.\//, '');
    files.add(isAbsolute(path) || folder === null ? path : `${folder.replace(/\/$/, '')}/${relative}`);
  }
  return [...files];
}
