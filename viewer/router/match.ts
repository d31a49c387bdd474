/** Parts of an address that a pattern such as `/sessions/:id` names. */
export type PathParts = Readonly<Record<string, string>>;

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

/** Returns the named parts of a path; null if it does not match the pattern. */
export function matchPath(pattern: string, path: string): PathParts | null {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [index, name] of wanted.entries()) {
    const part = decoded(given[index] ?? '');
    if (part === null) return null;
    if (name.startsWith(':')) parts[name.slice(1)] = part;
    else if (name !== part) return null;
  }
  return parts;
}
