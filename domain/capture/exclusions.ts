/** Key of the tenant setting with the excluded folders. */
export const EXCLUDE_SETTING = 'capture.exclude';
/** Most globs of a list, and most characters of a glob. */
export const MAX_GLOBS = 100;
export const MAX_GLOB_CHARS = 512;
/** Longer paths are matched by their first parts. */
const MAX_PARTS = 256;
/** Usual home folders. `~` matches any of them, since a server does not know the homes of its client machines. */
const HOMES = ['/home/*', '/Users/*', '/root', '*:/Users/*'];

/** Returns true if a path is excluded. */
export type Exclusion = (path: string) => boolean;

function partsOf(path: string): string[] {
  return path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .slice(0, MAX_PARTS);
}

/**
 * Matches one part of a path against one part of a glob: `*` is any characters, `?` is one. A mismatch backtracks to the last `*` only,
 * so the time is at most the product of both lengths.
 */
function fits(glob: string, part: string): boolean {
  let g = 0;
  let p = 0;
  let star = -1;
  let taken = 0;
  while (p < part.length) {
    if (glob[g] === '*') {
      star = g;
      taken = p;
      g += 1;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === part[p])) {
      g += 1;
      p += 1;
    } else if (star >= 0) {
      taken += 1;
      p = taken;
      g = star + 1;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g += 1;
  return g === glob.length;
}

/** Matches a glob against the path or one of its parent folders, by the same method over parts; `**` is any number of parts. */
function covers(glob: readonly string[], path: readonly string[]): boolean {
  let g = 0;
  let p = 0;
  let star = -1;
  let taken = 0;
  for (;;) {
    // The glob is used up: the rest of the path is below the matched folder.
    if (g === glob.length) return true;
    const part = path[p];
    if (glob[g] === '**') {
      star = g;
      taken = p;
      g += 1;
    } else if (part !== undefined && fits(glob[g] ?? '', part)) {
      g += 1;
      p += 1;
    } else if (star >= 0 && taken < path.length) {
      taken += 1;
      p = taken;
      g = star + 1;
    } else {
      return false;
    }
  }
}

/** Expands `~` into every usual home folder. */
function spelledOut(glob: string): string[] {
  return glob === '~' || glob.startsWith('~/') ? HOMES.map((home) => `${home}${glob.slice(1)}`) : [glob];
}

/**
 * Compiles a list of globs: `*` and `?` within a part of a path, `**` over parts, `~` for any home folder. A glob that matches a folder
 * excludes everything below it: `/home/me/secret` equals `/home/me/secret/**`. Returns null for an empty list.
 */
export function compileExclusions(globs: readonly string[]): Exclusion | null {
  const compiled = globs
    .slice(0, MAX_GLOBS)
    .map((glob) => glob.trim().slice(0, MAX_GLOB_CHARS))
    .flatMap(spelledOut)
    .map(partsOf)
    // An empty glob, or `**` alone, would exclude everything; the capture setting does that.
    .filter((parts) => parts.some((part) => part !== '**'));
  if (compiled.length === 0) return null;
  return (path) => {
    const parts = partsOf(path);
    return compiled.some((glob) => covers(glob, parts));
  };
}
