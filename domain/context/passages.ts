import { splitSentences } from '../text/sentences.ts';
import { termsOf } from '../text/terms.ts';

/** What joins the parts of a path or of a name in code. */
const JOINT = /(?<=[\p{L}\p{N}])[./_\\-]+(?=[\p{L}\p{N}])|(?<=\p{Ll})(?=\p{Lu})/u;
const JOINTS = new RegExp(JOINT, 'gu');

/** Terms of a text, with the parts of paths and names in code beside the whole of them. */
export function termsInParts(text: string): ReadonlySet<string> {
  const terms = new Set(termsOf(text));
  // Most prose has no such names, and is read once.
  if (JOINT.test(text)) for (const part of termsOf(text.replace(JOINTS, ' '))) terms.add(part);
  return terms;
}

/** A line, a sentence or some short lines of a text: what a block of context quotes. */
export interface Passage {
  /** Place among the text's passages, from 0. */
  readonly place: number;
  /** As it stands in the text, with white space collapsed. */
  readonly text: string;
  readonly terms: ReadonlySet<string>;
}

/** A passage is no longer than this, so that several fit where one long one would: about 60 tokens. */
const MAX_CHARS = 240;
/** Short lines that follow each other are one passage up to here: alone they say too little for what naming them costs. */
const JOINED_CHARS = 100;
/** Of a longer text the head and the tail are looked at, as in the index. */
const HEAD_CHARS = 12_000;
const TAIL_CHARS = 4_000;

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where a stretch that is too long is cut: at the last blank of its allowed length, else in the midst, never in half a character. */
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

/** Lines of a text without the blanks around them; of long ones the sentences. */
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

/** A text's passages in its order: lines, sentences of long lines, short lines joined. Time is linear in the text, of which 16,000 characters are read. */
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
    const said = read.slice(start, end).replaceAll(/\s+/gu, ' ').trim();
    return { place, text: said, terms: termsInParts(said) };
  });
}

/** How much each of a question's terms says, by how few of the passages have it: the inverse document frequency of BM25 (Robertson and Spärck Jones). */
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
