/** A quoted value of a field is none. */
const QUOTED = /(?<![:：])"([^"\n]{1,200})"|“([^”\n]{1,200})”|「([^」\n]{1,200})」/gu;
const MAX_PHRASES = 5;

/** Stands where a phrase was, so that nothing within it is read as a field or a time. */
const PLACE = '\uFFFC';

/**
 * Phrases in double quotes, which a memory must hold word for word, taken out of the question; `restore` puts their words back into
 * what became of it. An open quote stands for nothing.
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

/** A text as phrases are compared: lower case, blanks made one. PostgreSQL does the same with what it compares. */
function comparable(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}
