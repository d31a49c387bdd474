/** Excludes the quoted value of a field. */
const QUOTED = /(?<![:：])"([^"\n]{1,200})"|“([^”\n]{1,200})”|「([^」\n]{1,200})」/gu;
const MAX_PHRASES = 5;

/** Placeholder of a phrase, so that its content is not parsed as a field or a time. */
const PLACE = '\uFFFC';

/**
 * Removes phrases in double quotes, which a memory must contain verbatim, from the query; `restore` inserts their words into the processed
 * query. An unclosed quote is ignored.
 */
export function phrasesOf(query: string): {
  readonly rest: string;
  readonly phrases: readonly string[];
  readonly restore: (text: string) => string;
} {
  const inners: string[] = [];
  const rest = query.replaceAll(PLACE, ' ').replaceAll(QUOTED, (whole: string, ...parts: unknown[]) => {
    const inner = parts.slice(0, 3).find((part): part is string => typeof part === 'string') ?? '';
    if (!/[\p{L}\p{N}]/u.test(inner) || inners.length >= MAX_PHRASES) return whole;
    inners.push(inner);
    return ` ${PLACE} `;
  });
  return {
    rest,
    phrases: [...new Set(inners.map(comparable))],
    restore: (text) => {
      let next = 0;
      return text.replaceAll(PLACE, () => {
        next += 1;
        return inners[next - 1] ?? '';
      });
    },
  };
}

/** Normalises a text for phrase comparison: lower case, single blanks. PostgreSQL does the same. */
function comparable(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}
