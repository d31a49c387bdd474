/** Characters around a found word. */
const AROUND = 80;
const MAX_SNIPPETS = 2;
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

/** Characters of scripts that are written without spaces. */
const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々`;
const UNSPACED_RUN = new RegExp(`[${UNSPACED}]+`, 'gu');

/** Pairs of neighbours, because nothing says where a word of such a script ends; none of a single character. */
function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, n) => `${characters[n] ?? ''}${character}`);
}

interface Markable {
  readonly words: readonly string[];
  /** Of scripts without spaces. */
  readonly pairs: readonly string[];
  /** Characters of such scripts that stand alone. */
  readonly singles: readonly string[];
}

/** What of a question is worth marking: words with what joins them in code, and pairs of characters of scripts without spaces. */
function markable(question: string): Markable {
  const lower = question.toLowerCase();
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

/** A word and its plural or participle: enough for marking, where a wrong mark costs nothing. Both hold letters, digits and `_` alone. */
function patternOf({ words, pairs, singles }: Markable): RegExp | null {
  const letter = String.raw`[[\p{L}\p{N}]--[${UNSPACED}]]`;
  const stems = words.map((word) => (word.length > 5 ? word.replace(/(?:ing|ed|es|s|e)$/, '') : word));
  const alternatives = [
    ...(stems.length === 0 ? [] : [`(?<!${letter})(?:${stems.join('|')})${letter}{0,4}`]),
    // Pairs that overlap are one passage.
    ...(pairs.length === 0 ? [] : [`(?:(?=${pairs.join('|')}).){1,40}.`]),
    ...singles,
  ];
  return alternatives.length === 0 ? null : new RegExp(alternatives.join('|'), 'giv');
}

/** Up to two passages of a text around words of the question, each found word between `<mark>` tags; [] when none occurs. */
export function highlight(text: string, question: string): string[] {
  const pattern = patternOf(markable(question));
  if (pattern === null) return [];
  const snippets: string[] = [];
  let covered = -1;
  for (const match of text.matchAll(pattern)) {
    if (match.index < covered) continue;
    const start = Math.max(0, match.index - AROUND);
    const end = Math.min(text.length, match.index + match[0].length + AROUND);
    const passage = text.slice(start, end).toWellFormed().replaceAll(/\s+/g, ' ').trim();
    const marked = passage.replaceAll(pattern, (word) => `<mark>${word}</mark>`);
    snippets.push(`${start > 0 ? '…' : ''}${marked}${end < text.length ? '…' : ''}`);
    covered = end;
    if (snippets.length >= MAX_SNIPPETS) break;
  }
  return snippets;
}
