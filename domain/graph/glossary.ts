/** Names of one glossary. */
const MAX_NAMES = 40;
/** A glossary stands in the prefix of every window: 300 tokens, at about four characters a token and one for the comma. */
const MAX_CHARACTERS = 1_200;
const MAX_NAME_CHARACTERS = 80;

/**
 * Names for a project's glossary, in the order given (the weightiest first): each once, on one line, at most 40, and at most about 300 tokens
 * together. The same names give the same glossary, byte by byte.
 */
export function glossaryOf(labels: readonly string[]): readonly string[] {
  const names: string[] = [];
  const seen = new Set<string>();
  let characters = 0;
  for (const label of labels) {
    const name = label.replaceAll(/\s+/gu, ' ').trim();
    const folded = name.toLowerCase();
    const cost = Buffer.byteLength(name, 'utf8') + 2;
    if (name === '' || name.length > MAX_NAME_CHARACTERS || seen.has(folded) || characters + cost > MAX_CHARACTERS)
      continue;
    names.push(name);
    seen.add(folded);
    characters += cost;
    if (names.length === MAX_NAMES) break;
  }
  return names;
}
