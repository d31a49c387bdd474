/** Parses a column with a JSON array. Old versions store a bare string: it becomes the only entry. Blank entries are dropped. */
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

/** Parses JSON; returns anything else as text. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the text is the value.
    return text;
  }
}

/** Longest concept name; longer texts are sentences with a colon. */
const TAG_CHARS = 64;

/**
 * Converts concepts to tags. Before version 49 a concept may read "gotcha: long text": the part before the colon is the tag, and the text
 * goes to `texts`, as does a long text without a colon.
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
