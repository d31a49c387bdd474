const STOP_WORDS = new Set(
  (
    'a about above after again all also am an and any are as at be been before being below between both but by can could did do ' +
    'does doing done down during each few for from further get gets go going got had has have having he her here him his how i if ' +
    'in into is it its itself just let like ll made make me more most my need no nor not now of off ok on once one only or other ' +
    'our out over own please re s same see she should so some still such t than that the their them then there these they this ' +
    'those through to too under until up us use used using ve very want was we were what when where which while who why will with ' +
    'would yes you your'
  ).split(' '),
);
const WORD = /[\p{L}\p{N}_]+(?:[./-][\p{L}\p{N}_]+)*/gu;
/** Scripts without spaces. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;

/**
 * Returns the content words of a text for comparison: lower case, without stop words and English endings, and pairs of neighbouring
 * characters for scripts without spaces. With duplicates.
 */
export function termsOf(text: string): readonly string[] {
  const terms: string[] = [];
  for (const [word] of text.matchAll(WORD)) {
    if (UNSPACED.test(word)) {
      terms.push(...pairsOf(word));
      continue;
    }
    const lower = word.toLowerCase();
    if (lower.length < 2 || STOP_WORDS.has(lower)) continue;
    terms.push(stemmed(lower));
  }
  return terms;
}

/** Counts words; two characters of a script without spaces count as one. */
export function wordCount(text: string): number {
  let count = 0;
  for (const [word] of text.matchAll(WORD)) count += UNSPACED.test(word) ? Math.ceil(word.length / 2) : 1;
  return count;
}

/** Returns the share of stop words, 0–1: high in English prose, low in lists, logs and code; 1 for scripts without spaces. */
export function stopWordShare(text: string): number {
  if (UNSPACED.test(text)) return 1;
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.length === 0 ? 0 : words.filter((word) => STOP_WORDS.has(word)).length / words.length;
}

/** Returns the share of the smaller set of terms in the other one, 0–1. */
export function overlap(left: readonly string[], right: readonly string[]): number {
  const a = new Set(left);
  const b = new Set(right);
  const smaller = Math.min(a.size, b.size);
  if (smaller === 0) return 0;
  let shared = 0;
  for (const term of a) if (b.has(term)) shared += 1;
  return shared / smaller;
}

function pairsOf(word: string): readonly string[] {
  const pairs: string[] = [];
  for (const [run] of word.matchAll(UNSPACED_RUN)) {
    const characters = Array.from(run);
    if (characters.length === 1) pairs.push(run);
    for (let index = 0; index + 1 < characters.length; index += 1)
      pairs.push(characters.slice(index, index + 2).join(''));
  }
  return pairs;
}

/** Removes plural and tense endings. Deliberately coarse: it only has to unify word forms. */
function stemmed(word: string): string {
  if (/[\d_./-]/u.test(word) || word.length < 5) return word;
  return word.replace(/(?:ies|ied)$/u, 'y').replace(/(?:ing|ed|es|s)$/u, '');
}
