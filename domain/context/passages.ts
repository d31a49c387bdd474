import { splitSentences } from '../text/sentences.ts';
import { termsOf } from '../text/terms.ts';

/** Separators in a path or in a code name. */
const JOINT = /(?<=[\p{L}\p{N}])[./_\\-]+(?=[\p{L}\p{N}])|(?<=\p{Ll})(?=\p{Lu})/u;
const JOINTS = new RegExp(JOINT, 'gu');

/** Returns the terms of a text, with both the parts and the full form of paths and code names. */
export function termsInParts(text: string): ReadonlySet<string> {
  const terms = new Set(termsOf(text));
  // Most prose has no such names and is tokenised once.
  if (JOINT.test(text)) for (const part of termsOf(text.replace(JOINTS, ' '))) terms.add(part);
  return terms;
}

/** A line, a sentence or some short lines of a text: the unit that a context block quotes. */
export interface Passage {
  /** Position among the text's passages, from 0. */
  readonly place: number;
  /** Verbatim, with white space collapsed. */
  readonly text: string;
  readonly terms: ReadonlySet<string>;
}

/** Longest passage, about 60 tokens: several short ones fit where one long one would. */
const MAX_CHARS = 240;
/** Consecutive short lines are joined up to here: alone they are not worth the cost of their head. */
const JOINED_CHARS = 100;
/** Of a longer text only head and tail are read, as in the index. */
const HEAD_CHARS = 12_000;
const TAIL_CHARS = 4_000;

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Returns the cut position of a long stretch: the last blank within the limit, else the limit, never inside a character. */
function cutBefore(text: string, start: number): number {
  const end = start + MAX_CHARS;
  const space = text.lastIndexOf(' ', end);
  if (space > start + MAX_CHARS / 2) return space;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
}

function* pieces(text: string, within: Stretch): Generator<Stretch> {
  let { start } = within;
  while (within.end - start > MAX_CHARS) {
    const end = cutBefore(text, start);
    yield { start, end };
    start = end;
  }
  if (within.end > start) yield { start, end: within.end };
}

/** Yields the trimmed lines of a text, and the sentences of long lines. */
function* stretches(text: string): Generator<Stretch> {
  for (let from = 0; from <= text.length;) {
    const at = text.indexOf('\n', from);
    const to = at === -1 ? text.length : at;
    const line = text.slice(from, to);
    const start = from + line.length - line.trimStart().length;
    const end = from + line.trimEnd().length;
    if (end > start && end - start <= MAX_CHARS) yield { start, end };
    else if (end > start) for (const sentence of splitSentences(text, { start, end })) yield* pieces(text, sentence);
    from = to + 1;
  }
}

/** Returns a text's passages in order: lines, sentences of long lines, joined short lines. Linear in the text, of which 16,000 characters are read. */
export function passagesOf(text: string): readonly Passage[] {
  const read =
    text.length <= HEAD_CHARS + TAIL_CHARS
      ? text
      : `${text.slice(0, HEAD_CHARS)}\n${text.slice(-TAIL_CHARS)}`.toWellFormed();
  const joined: Stretch[] = [];
  for (const stretch of stretches(read)) {
    const last = joined.at(-1);
    if (last !== undefined && stretch.end - last.start <= JOINED_CHARS)
      joined.splice(-1, 1, { ...last, end: stretch.end });
    else joined.push(stretch);
  }
  return joined.map(({ start, end }, place) => {
    const quoted = read.slice(start, end).replaceAll(/\s+/gu, ' ').trim();
    return { place, text: quoted, terms: termsInParts(quoted) };
  });
}

/** Returns the weight of each query term by its rarity among the passages: BM25's inverse document frequency (Robertson and Spärck Jones). */
export function termWeights(query: string, passages: readonly (readonly Passage[])[]): ReadonlyMap<string, number> {
  const terms = [...termsInParts(query)];
  const all = passages.flat();
  return new Map(
    terms.map((term) => {
      const having = all.filter((passage) => passage.terms.has(term)).length;
      return [term, Math.log(1 + (all.length - having + 0.5) / (having + 0.5))];
    }),
  );
}

/** A text with this share of the query's words repeats the query and answers nothing. */
const ECHO_SHARE = 0.8;

/** Returns true if a text consists of the query's words, by its terms. */
export function repeatsQuery(terms: ReadonlySet<string>, queryTerms: ReadonlySet<string>): boolean {
  const echoed = [...terms].filter((term) => queryTerms.has(term)).length;
  return echoed >= ECHO_SHARE * terms.size;
}
