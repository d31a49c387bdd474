/** Counts the characters of all strings in a value, names included, without serialising it; every other value counts one. */
export function charsIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 1;
  return Object.entries(value).reduce((sum, [name, entry]) => sum + name.length + charsIn(entry), 0);
}
