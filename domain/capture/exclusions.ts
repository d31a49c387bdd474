/** The setting of a tenant that names what is not captured. */
export const EXCLUDE_SETTING = 'capture.exclude';
/** Globs of one list, and characters of one. */
export const MAX_GLOBS = 100;
export const MAX_GLOB_CHARS = 512;
/** A path of more parts than this is compared by its first ones: no folder lies so deep. */
const MAX_PARTS = 256;
/** Where home folders lie. `~` stands for any of them, since a server does not know the homes of the machines that send. */
const HOMES = ['/home/*', '/Users/*', '/root', '*:/Users/*'];

/** Answers whether a path is excluded. */
export type Exclusion = (path: string) => boolean;

function partsOf(path: string): string[] {
  return path
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .slice(0, MAX_PARTS);
}

/**
 * Whether a part of a path fits a part of a glob, with `*` for any characters and `?` for one. On a mismatch only the last `*` takes one more
 * character, so that the time is the product of both lengths at most, whatever the glob.
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

/** Whether the glob fits the path or a folder that it lies in, in the same way over parts, with `**` for any number of them. */
function covers(glob: readonly string[], path: readonly string[]): boolean {
  let g = 0;
  let p = 0;
  let star = -1;
  let taken = 0;
  for (;;) {
    // All of the glob is used: what is left of the path lies below.
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

/** Every glob that one of a list stands for. */
function spelledOut(glob: string): string[] {
  return glob === '~' || glob.startsWith('~/') ? HOMES.map((home) => `${home}${glob.slice(1)}`) : [glob];
}

/**
 * Compiles a list of globs: `*` and `?` within a part of a path, `**` over parts, `~` for anybody's home. A glob that fits a folder excludes
 * all below it, so `/home/me/secret` and `/home/me/secret/**` mean the same. Null for a list without any.
 */
export function compileExclusions(globs: readonly string[]): Exclusion | null {
  const compiled = globs
    .slice(0, MAX_GLOBS)
    .map((glob) => glob.trim().slice(0, MAX_GLOB_CHARS))
    .flatMap(spelledOut)
    .map(partsOf)
    // A glob of nothing, or of `**` alone, would exclude everything: that is said by switching capture off.
    .filter((parts) => parts.some((part) => part !== '**'));
  if (compiled.length === 0) return null;
  return (path) => {
    const parts = partsOf(path);
    return compiled.some((glob) => covers(glob, parts));
  };
}
