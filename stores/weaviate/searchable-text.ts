import { stem } from '../../domain/ranking/stem.ts';

/** Scripts that are written without spaces between words, or with endings grown onto them. */
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]+/gu;
/** A word, or words joined to a name: `snake_case`, `src/a/b.ts`, `1.35.2`, `std::vec`, `well-known`. */
const NAME = /[\p{L}\p{M}\p{N}_]+(?:[./\\:-]+[\p{L}\p{M}\p{N}_]+)*/gu;
/** Characters that join words to a name that is indexed as one term; a hyphen alone does not. */
const JOINT = /[._/\\:]/u;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Parts of an identifier with inner capitals: `useMemo`, `HTTPServer`, `parseJSON2`. */
const CAMEL_PARTS = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+/gu;
const IS_CAMEL = /\p{Ll}.*\p{Lu}|\p{Lu}{2}\p{Ll}/u;
/** Longer names are generated: addresses with tokens, encoded data. */
const MAX_NAME_CHARS = 128;

/**
 * English words without information about the subject of a text, question words among them. The index omits them, too: they are a third of
 * all words, and the length of a text is then its number of searchable words.
 */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about again all am an and any are as at be been being but by can could did do does doing done for from had has have having ' +
    'he her him his how i if in into is it its just me my no not of on or our should so such than that the their them then there these ' +
    'they this those to too us very was we were what when where which while who whom whose why will with would you your'
  ).split(' '),
);

/** Returns overlapping pairs of characters, with `singles` the single ones, too. */
function cutRun(run: string, singles: boolean): string {
  const characters = Array.from(run);
  const pairs = characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
  return ` ${[...pairs, ...(singles || characters.length === 1 ? characters : [])].join(' ')} `;
}

function addWord(word: string, terms: string[]): void {
  const lower = word.toLowerCase();
  if (!STOP_WORDS.has(lower)) terms.push(stem(lower));
  if (!IS_CAMEL.test(word)) return;
  for (const [part] of word.matchAll(CAMEL_PARTS)) {
    const known = part.toLowerCase();
    if (known !== lower && !STOP_WORDS.has(known)) terms.push(stem(known));
  }
}

function termsOf(text: string): string[] {
  const terms: string[] = [];
  for (const [name] of text.matchAll(NAME)) {
    const isJoined = JOINT.test(name);
    if (isJoined && name.length <= MAX_NAME_CHARS) {
      const fullName = name.toLowerCase();
      terms.push(fullName);
      // Queries name a file by its base name as often as by its path.
      const file = fullName.slice(Math.max(fullName.lastIndexOf('/'), fullName.lastIndexOf('\\')) + 1);
      if (file !== fullName && JOINT.test(file)) terms.push(file);
    }
    for (const [word] of name.matchAll(WORD)) addWord(word, terms);
  }
  return terms;
}

/**
 * Returns a text as the keyword index stores it: terms separated by spaces, in the order of the text. English words as stems, without stop words; names
 * (identifiers, paths, versions) complete and in parts, so that "memo" finds `useMemo` and `b.ts` finds `src/a/b.ts`; runs of Chinese, Japanese
 * and Korean as pairs of characters and as single ones (Weaviate's own dictionaries cost 550 MB).
 */
export function indexedText(text: string): string {
  return termsOf(text.normalize('NFKC').replace(UNSPACED_RUN, (run) => cutRun(run, true))).join(' ');
}

/** Returns a query for the keyword index: split like the texts, each term once. Empty if it has stop words only. */
export function queryText(query: string): string {
  const terms = termsOf(query.normalize('NFKC').replace(UNSPACED_RUN, (run) => cutRun(run, false)));
  return [...new Set(terms)].join(' ');
}
