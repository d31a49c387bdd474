/** Most names of a glossary. */
const MAX_NAMES = 40;
/** A glossary is in the prefix of every window: 300 tokens, at about four characters a token and one for the comma. */
const MAX_CHARACTERS = 1_200;
const MAX_NAME_CHARACTERS = 80;

/** Returns a project's glossary from names by descending weight: unique, on one line, at most 40 and about 300 tokens. Deterministic. */
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
