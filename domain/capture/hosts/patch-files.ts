const HEADER = /^\*\*\* (?:(?:Add|Update|Delete) File|Move to): /;
const FILES = 100;

/** An absolute path of either kind of system. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path);
}

/**
 * The files that an `apply_patch` patch adds, changes, deletes or moves to, in its order, each once, at most 100. A relative path is
 * put under `folder` where one is known.
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
