import type { LearningCategory, LearningRelation } from '../ports/model.ts';
import { termsOf } from '../text/terms.ts';
import { namesIn } from './names.ts';
import { agreement, changedValue, polarities, statedValues } from './statements.ts';
import type { Polarity } from './statements.ts';

export type Verdict = LearningRelation['kind'] | 'new';

/** A learning as it is compared. Made once, compared often. */
export interface ComparedText {
  readonly category: LearningCategory;
  /** Case-folded words and nothing else: equal ones are the same text. */
  readonly normalised: string;
  readonly terms: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly polarities: ReadonlyMap<string, Polarity>;
  readonly values: ReadonlyMap<string, ReadonlySet<string>>;
  /** L2-normalised; null while the embedder is away. */
  readonly vector: Float32Array | null;
}

/** UTF-8 bytes of the longest text that is compared: 4,000 characters of a learning. What a person keeps that is longer is a document, no claim. */
export const COMPARED_BYTES = 12_000;

/** Cosine from which two texts count as one: the measure that consolidation is judged by. */
export const NEAR_DUPLICATE = 0.95;
/** Cosine from which two texts are taken for one: the model's 8-bit weights move a vector a little with what is embedded beside it. */
export const DOUBLE = 0.94;
/** Cosine from which texts that share most of their words count as one. */
const SAME = 0.93;
const SAME_WORDS = 0.6;
/** Without vectors: share of all words of both. */
const SAME_WORDS_ALONE = 0.8;
/** What is near enough to speak of one subject; the small embedding model gives unrelated notes of one project up to 0.75. */
const SUBJECT = 0.8;
const SUBJECT_WORDS = 0.6;
const REFINES = 0.85;
/** Share of the old text's words that the new one holds, and how much more it says. */
const HELD = 0.8;
const MORE_TERMS = 3;
/** What a model proposes must be this near. */
const PLAUSIBLE: Readonly<Record<LearningRelation['kind'], { readonly cosine: number; readonly words: number }>> = {
  same: { cosine: 0.8, words: 0.45 },
  refines: { cosine: 0.75, words: 0.35 },
  contradicts: { cosine: 0.65, words: 0.25 },
};
/** Texts with more words tell stories: their polarity says nothing about the subject. */
const MAX_TERMS_OF_A_CLAIM = 60;

/** Categories that can say the same thing. */
const CLASSES: Readonly<Record<LearningCategory, 'rule' | 'repair' | 'fact'>> = {
  best_practice: 'rule',
  pattern: 'rule',
  solution: 'repair',
  error: 'repair',
  config: 'fact',
  general: 'fact',
};

/** What is embedded of a learning when it is compared: what it says, without the circumstances. */
export function comparedText(learning: { readonly title: string; readonly description: string }): string {
  return `${learning.title}\n${learning.description}`;
}

export function toCompared(
  learning: { readonly category: LearningCategory; readonly title: string; readonly description: string },
  vector: Float32Array | null,
): ComparedText {
  const text = comparedText(learning);
  return {
    category: learning.category,
    normalised: normalisedText(learning.description),
    terms: new Set(termsOf(text)),
    names: namesIn(text),
    polarities: polarities(learning.description),
    values: statedValues(learning.description),
    vector,
  };
}

/** NFKC, lower case, words alone. */
export function normalisedText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Cosine of two normalised vectors; null where one is missing or they are of different models. */
export function cosine(left: Float32Array | null, right: Float32Array | null): number | null {
  if (left === null || right === null || left.length !== right.length) return null;
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}

/** Share of all words of both that both have: 0 to 1. */
function sharedWords(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const both = countShared(left, right);
  const all = left.size + right.size - both;
  return all === 0 ? 0 : both / all;
}

/** Share of the words of `part` that `whole` has. */
function held(part: ReadonlySet<string>, whole: ReadonlySet<string>): number {
  return part.size === 0 ? 0 : countShared(part, whole) / part.size;
}

/** Share of the smaller set that the other one has, too. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const smaller = Math.min(left.size, right.size);
  return smaller === 0 ? 0 : countShared(left, right) / smaller;
}

function countShared(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of left) if (right.has(word)) shared += 1;
  return shared;
}

/** How near two learnings are, 0 to 1: cosine where there are vectors, else shared words. */
export function nearness(left: ComparedText, right: ComparedText): number {
  if (left.normalised === right.normalised) return 1;
  return cosine(left.vector, right.vector) ?? sharedWords(left.terms, right.terms);
}

/**
 * How a new learning stands to a known one, by rules alone. Same: near-identical by embedding (or by words), or a part of what is known. Refines:
 * the same subject, and all that is known and more, or the proven fix of a known error. Contradicts: the same subject with the opposite
 * polarity, or another value for the same thing. Words that deny come first: by embedding a rule and its opposite are nearly one. `proven`: the
 * new one cites a failure and the run after it that passed.
 */
export function judge(draft: ComparedText, known: ComparedText, proven = false): Verdict {
  if (draft.normalised === known.normalised) return 'same';
  const similarity = cosine(draft.vector, known.vector);
  const near = similarity ?? 0;
  const isDouble = similarity !== null && similarity >= DOUBLE;
  const sameClass = CLASSES[draft.category] === CLASSES[known.category];
  if (!sameClass && !isDouble) return 'new';
  const words = overlap(draft.terms, known.terms);
  const sharesName = countShared(draft.names, known.names) > 0;
  const oneSubject = similarity === null ? words >= SUBJECT_WORDS : near >= SUBJECT && (sharesName || words >= 0.4);
  if (oneSubject && opposed(draft, known, words)) return 'contradicts';
  const holds = held(known.terms, draft.terms) >= HELD;
  const says = draft.terms.size - known.terms.size;
  const canRefine = similarity === null ? words >= HELD : near >= REFINES;
  if (canRefine && holds && says >= MORE_TERMS) return 'refines';
  if (canRefine && proven && known.category === 'error' && draft.category === 'solution' && sharesName)
    return 'refines';
  if (isDouble || (near >= SAME && words >= SAME_WORDS)) return 'same';
  if (similarity === null && sharedWords(draft.terms, known.terms) >= SAME_WORDS_ALONE) return 'same';
  // A shorter way to say what is known.
  return canRefine && near >= 0.9 && held(draft.terms, known.terms) >= 0.9 ? 'same' : 'new';
}

function opposed(draft: ComparedText, known: ComparedText, words: number): boolean {
  if (Math.min(draft.terms.size, known.terms.size) > MAX_TERMS_OF_A_CLAIM) return false;
  const { agreeing, opposing } = agreement(draft.polarities, known.polarities);
  if (opposing > 0 && opposing >= agreeing) return true;
  return words >= SUBJECT_WORDS && changedValue(draft.values, known.values);
}

/** Whether what a model says of two learnings can be so: they are near enough, or name the same thing. */
export function isPlausible(kind: LearningRelation['kind'], draft: ComparedText, known: ComparedText): boolean {
  const bound = PLAUSIBLE[kind];
  const similarity = cosine(draft.vector, known.vector);
  const words = overlap(draft.terms, known.terms);
  if (similarity === null) return words >= bound.words;
  return similarity >= bound.cosine || (countShared(draft.names, known.names) > 0 && words >= bound.words);
}
