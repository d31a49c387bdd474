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

/** Words of a question that are worth marking: letters, digits and what joins them in code. */
export function markableWords(question: string): string[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  return [
    ...new Set(
      words.filter((word) => !STOP_WORDS.has(word) && (word.length >= MIN_WORD || /[^\p{ASCII}]/u.test(word))),
    ),
  ];
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** A word and its plural or participle: enough for marking, where a wrong mark costs nothing. */
function patternOf(words: readonly string[]): RegExp {
  const stems = words.map((word) => escapeRegExp(word.length > 5 ? word.replace(/(?:ing|ed|es|s|e)$/, '') : word));
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${stems.join('|')})[\\p{L}\\p{N}]{0,4}`, 'giu');
}

/** Up to two passages of a text around words of the question, each found word between `<mark>` tags; [] when none occurs. */
export function highlight(text: string, question: string): string[] {
  const words = markableWords(question);
  if (words.length === 0) return [];
  const pattern = patternOf(words);
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
