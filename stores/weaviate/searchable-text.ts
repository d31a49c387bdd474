/** Scripts that are written without spaces between words. */
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;
/** An identifier with an inner capital: `useMemo`, `HTTPServer`, `parseJSON2`. */
const CAMEL_WORD = /\b(?=[A-Za-z0-9]*[a-z])[A-Za-z][a-z0-9]*[A-Z][A-Za-z0-9]*\b/gu;
const CAMEL_PARTS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/gu;

function pairs(run: string): string {
  const characters = Array.from(run);
  if (characters.length < 3) return ` ${run} `;
  const overlapping = characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
  return ` ${overlapping.join(' ')} `;
}

/**
 * Text as the keyword index gets it. Weaviate's `word` tokeniser cuts at whatever is no letter or digit, which serves prose, paths
 * and snake_case; runs of Chinese or Japanese become overlapping pairs of characters here (its dictionaries cost 550 MB), and
 * camelCase words are followed by their parts, so that "memo" finds `useMemo`.
 */
export function indexedText(text: string): string {
  return text
    .replace(UNSPACED_RUN, pairs)
    .replace(CAMEL_WORD, (word) => `${word} ${(word.match(CAMEL_PARTS) ?? []).join(' ')}`);
}

/** A query as the keyword index is asked: cut like the text, but a camelCase word stays whole, since it means just that word. */
export function queryText(query: string): string {
  return query.replace(UNSPACED_RUN, pairs);
}
