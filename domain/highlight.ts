/** Ranges of one memory. */
export const MAX_HIGHLIGHTS = 32;
const MIN_WORD = 3;
const STOP_WORDS = new Set([
  'the',
  'and',
  'for',
  'was',
  'were',
  'with',
  'that',
  'this',
  'what',
  'why',
  'how',
  'did',
  'does',
  'which',
  'when',
  'where',
  'who',
  'are',
  'from',
  'not',
  'into',
  'has',
  'have',
  'had',
  'our',
  'you',
  'your',
  'but',
  'its',
]);

/** Characters of scripts without spaces. */
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々`;
const UNSPACED_RUN = new RegExp(`[${UNSPACED}]+`, 'gu');

/** Returns pairs of neighbours, because such scripts do not mark word ends; none for a single character. */
function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, n) => `${characters[n] ?? ''}${character}`);
}

interface Markable {
  readonly words: readonly string[];
  /** Of scripts without spaces. */
  readonly pairs: readonly string[];
  /** Isolated characters of such scripts. */
  readonly singles: readonly string[];
}

/** Returns the parts of a query to mark: words with their code separators, and character pairs of scripts without spaces. */
function markable(query: string): Markable {
  const lower = query.toLowerCase();
  const words = lower.replaceAll(UNSPACED_RUN, ' ').match(/[\p{L}\p{N}_]+/gu) ?? [];
  const worth = words.filter(
    (word) => !STOP_WORDS.has(word) && (word.length >= MIN_WORD || /[^\p{ASCII}]/u.test(word)),
  );
  const runs = lower.match(UNSPACED_RUN) ?? [];
  return {
    words: [...new Set(worth)],
    pairs: [...new Set(runs.flatMap(pairsOf))],
    singles: [...new Set(runs.filter((run) => pairsOf(run).length === 0))],
  };
}

/** The parts of a query to mark, in lower case. Stems instead of words match plurals and participles: a wrong mark is harmless. */
interface Marks {
  readonly stems: readonly string[];
  readonly pairs: readonly string[];
  readonly singles: readonly string[];
}

function marksOf(query: string): Marks {
  const { words, pairs, singles } = markable(query);
  const stems = words.map((word) => (word.length > 5 ? word.replace(/(?:ing|ed|es|s|e)$/, '') : word));
  return { stems, pairs, singles };
}

const LETTER = String.raw`[[\p{L}\p{N}]--[${UNSPACED}]]`;
// Compiled once: compiling these letter sets per query took longer than the rest of the response.
const WORD_START = new RegExp(`(?<!${LETTER})`, 'vy');
const WORD_REST = new RegExp(`${LETTER}{0,4}`, 'vy');
/** Overlapping pairs form one passage, up to this many. */
const MAX_PAIRS = 40;

/** Returns the length of the character at a position. */
function lengthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Returns the end of the match that starts at `start`; undefined if none does. `lower` is the text in lower case. */
function endOf(text: string, lower: string, start: number, { stems, pairs, singles }: Marks): number | undefined {
  WORD_START.lastIndex = start;
  const stem = stems.find((word) => lower.startsWith(word, start));
  if (stem !== undefined && WORD_START.test(text)) {
    WORD_REST.lastIndex = start + stem.length;
    return start + stem.length + (WORD_REST.exec(text)?.[0].length ?? 0);
  }
  let end = start;
  for (let count = 0; count < MAX_PAIRS && pairs.some((pair) => lower.startsWith(pair, end)); count += 1)
    end += lengthAt(text, end);
  if (end > start) return end + lengthAt(text, end);
  const single = singles.find((character) => lower.startsWith(character, start));
  return single === undefined ? undefined : start + single.length;
}

/** Yields the matches in order: finds their first characters, which is fast, and matches only there. */
function* passages(text: string, marks: Marks): Generator<{ readonly start: number; readonly end: number }> {
  const folded = text.toLowerCase();
  // A few letters become two in lower case, which shifts positions: then the text is used unchanged.
  const lower = folded.length === text.length ? folded : text;
  const beginnings = [...marks.stems, ...marks.pairs, ...marks.singles];
  const next = beginnings.map((beginning) => lower.indexOf(beginning));
  for (let from = 0; ;) {
    next.forEach((place, n) => {
      if (place >= 0 && place < from) next[n] = lower.indexOf(beginnings[n] ?? '', from);
    });
    const start = next.reduce((least, place) => (place >= 0 && place < least ? place : least), text.length);
    if (start >= text.length) return;
    const end = endOf(text, lower, start, marks);
    if (end !== undefined) yield { start, end };
    from = end ?? start + 1;
  }
}

/** Fields of a memory in which words of the query are marked, in the order of the ranges. */
export const HIGHLIGHTED_FIELDS = ['title', 'content'] as const;

/** A match in a field of a memory, in UTF-16 code units of the returned text. */
export interface Highlight {
  readonly field: (typeof HIGHLIGHTED_FIELDS)[number];
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Returns the ranges of words of the query, in order and without overlap: the first MAX_HIGHLIGHTS; [] without matches. */
export function highlightsOf(memory: Readonly<Record<Highlight['field'], string>>, query: string): Highlight[] {
  const marks = marksOf(query);
  const found: Highlight[] = [];
  for (const field of HIGHLIGHTED_FIELDS)
    for (const { start, end } of passages(memory[field], marks)) {
      if (found.length === MAX_HIGHLIGHTS) return found;
      found.push({ field, start, end });
    }
  return found;
}
