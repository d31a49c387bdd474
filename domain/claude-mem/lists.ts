/** A column that holds a JSON array. Rows of old versions hold a bare string there: it is the only entry. Blank entries are left out. */
export function listOf(column: string | null): string[] {
  if (column === null || column.trim() === '') return [];
  const entries = parsedArray(column) ?? [column];
  return entries
    .filter((entry) => entry !== null && entry !== undefined)
    .map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)).trim())
    .filter((entry) => entry !== '');
}

function parsedArray(text: string): readonly unknown[] | null {
  const value = parsedJson(text);
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? [value] : null;
}

/** JSON as its value, anything else as the text that it is. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: the text itself is what the row says.
    return text;
  }
}

/** Words that name a concept, not a sentence that has a colon in it. */
const TAG_CHARS = 64;

/**
 * Concepts as tags. Before version 49 one may read "gotcha: long text": what stands before the colon is the tag, and the text is kept in
 * `texts`. A concept that is a long text without a colon is kept there alone.
 */
export function tagsOf(concepts: readonly string[]): { readonly tags: string[]; readonly texts: string[] } {
  const tags = new Set<string>();
  const texts: string[] = [];
  for (const concept of concepts) {
    const colon = concept.indexOf(':');
    const head = (colon < 0 ? concept : concept.slice(0, colon)).trim();
    const tail = colon < 0 ? '' : concept.slice(colon + 1).trim();
    if (head.length > 0 && head.length <= TAG_CHARS) tags.add(head);
    else texts.push(concept);
    if (head.length > 0 && head.length <= TAG_CHARS && tail !== '') texts.push(concept);
  }
  return { tags: [...tags], texts };
}
