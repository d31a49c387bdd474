/** A span of a text: `source.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Words before a full stop that do not end a sentence. */
const ABBREVIATIONS = new Set(['e.g', 'i.e', 'etc', 'vs', 'cf', 'approx', 'resp', 'incl']);
const CJK_STOPS = new Set(['。', '！', '？', '；', '｡']);
const CLOSERS = /["'”’)\]』」）》*_`]/u;
const MAX_SENTENCE_CHARACTERS = 600;

/**
 * Splits prose into sentences. Western stops end a sentence only before white space, so file names, versions and decimals stay intact;
 * Chinese and Japanese stops end one at once. Returns trimmed, ordered, non-overlapping spans; a run without a stop is cut at a word after
 * {@link MAX_SENTENCE_CHARACTERS} characters.
 */
export function splitSentences(source: string, within: Span = { start: 0, end: source.length }): readonly Span[] {
  const spans: Span[] = [];
  let start = within.start;
  for (let index = within.start; index < within.end; index += 1) {
    const end = endAfterStop(source, index, within.end);
    if (end !== undefined) {
      pushTrimmed(spans, source, start, end);
      start = end;
      index = end - 1;
    } else if (index - start >= MAX_SENTENCE_CHARACTERS && /\s/u.test(source.charAt(index))) {
      pushTrimmed(spans, source, start, index);
      start = index;
    }
  }
  pushTrimmed(spans, source, start, within.end);
  return spans;
}

/** Returns the end of the sentence if a stop is at `index`; undefined if the sentence continues. */
function endAfterStop(source: string, index: number, limit: number): number | undefined {
  const character = source.charAt(index);
  const isCjk = CJK_STOPS.has(character);
  if (!isCjk && character !== '.' && character !== '!' && character !== '?') return undefined;
  let end = index + 1;
  while (end < limit && (/[.!?]/u.test(source.charAt(end)) || CJK_STOPS.has(source.charAt(end)))) end += 1;
  while (end < limit && CLOSERS.test(source.charAt(end))) end += 1;
  if (isCjk || end >= limit) return end;
  if (!/\s/u.test(source.charAt(end))) return undefined;
  return character === '.' && continuesAfterDot(source, index, end, limit) ? undefined : end;
}

function continuesAfterDot(source: string, dot: number, end: number, limit: number): boolean {
  const word = /[\p{L}.]+$/u.exec(source.slice(Math.max(0, dot - 12), dot))?.[0].toLowerCase() ?? '';
  if (ABBREVIATIONS.has(word)) return true;
  // "… foo. bar": a lower-case word after a full stop is more often a typo or an abbreviation than a new sentence.
  const next = source
    .slice(end, Math.min(limit, end + 3))
    .trimStart()
    .charAt(0);
  return /\p{Ll}/u.test(next);
}

function pushTrimmed(spans: Span[], source: string, from: number, to: number): void {
  let start = from;
  let end = to;
  while (start < end && /\s/u.test(source.charAt(start))) start += 1;
  while (end > start && /\s/u.test(source.charAt(end - 1))) end -= 1;
  if (end > start) spans.push({ start, end });
}
