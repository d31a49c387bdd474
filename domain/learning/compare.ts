import type { LearningCategory, LearningRelation } from '../ports/model.ts';
import { termsOf } from '../text/terms.ts';
import { agreement, changedValue, polarities, statedValues } from './statements.ts';
import type { Polarity } from './statements.ts';

const CODE = /`([^`\n]{2,80})`/gu;
const FILE =
  /(?<![\w/.-])(?:[\w@.-]+\/)*[\w@-][\w.-]*\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|cc?|cpp|h|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|conf|env|plist|prisma|proto|tf)\b/gu;
const ERROR =
  /\b(?:TS\d{4,5}|E[A-Z]{4,}|[A-Z]\w{2,}(?:Error|Exception)|E\d{4}|P\d{4}|[A-Z]{2,}-\d{2,}|SIG[A-Z]{3,}|HTTP [45]\d\d)\b/gu;
const SETTING = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]{2,}\b/gu;
const IDENTIFIER = /\b(?:[a-z]+[A-Z]\w+|[A-Z][a-z]+[A-Z]\w+|\w+\(\))/gu;
const MAX_NAMES = 40;

/** Returns the error classes and codes in a text, as written. */
export function errorNames(text: string): readonly string[] {
  return [...new Set([...text.matchAll(ERROR)].map(([name]) => name))];
}

/**
 * Returns the names in a text: files by their last part, errors, settings, identifiers and short code, case-folded, at most 40. Texts with
 * a common name have a common subject.
 */
export function namesIn(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (name: string) => {
    if (names.size < MAX_NAMES) names.add(name.toLowerCase().replace(/\(\)$/u, ''));
  };
  for (const [file] of text.matchAll(FILE)) add(file.slice(file.lastIndexOf('/') + 1));
  for (const pattern of [ERROR, SETTING, IDENTIFIER]) for (const [name] of text.matchAll(pattern)) add(name);
  for (const [, code = ''] of text.matchAll(CODE)) if (!/\s/u.test(code.trim())) add(code.trim());
  return names;
}

export type Verdict = LearningRelation['kind'] | 'new';

/** A learning prepared for comparison. */
export interface ComparedText {
  readonly category: LearningCategory;
  /** Case-folded words only: equal values mean equal texts. */
  readonly normalised: string;
  readonly terms: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
  readonly polarities: ReadonlyMap<string, Polarity>;
  readonly values: ReadonlyMap<string, ReadonlySet<string>>;
  /** L2-normalised; null if the embedder is unavailable. */
  readonly vector: Float32Array | null;
  /** Scales cosines of its embedder's vectors for the thresholds below. */
  readonly likeness: (cosine: number) => number;
}

/** Most UTF-8 bytes of a compared text: 4,000 characters of a learning. A longer memory is a document, not a claim. */
export const COMPARED_BYTES = 12_000;

// All cosines here are on the scale of the default embedding model (`Embedder.likeness`).

/** Cosine of duplicates, by which consolidation is judged. */
export const NEAR_DUPLICATE = 0.95;
/** Cosine from which texts are duplicates. */
export const DUPLICATE_SIMILARITY = 0.94;
/** Cosine from which texts with mostly common words are duplicates. */
const SAME = 0.93;
const SAME_WORDS = 0.6;
/** Without vectors: share of common words. */
const SAME_WORDS_ALONE = 0.8;
/** Cosine of texts on one subject; the small embedding model rates unrelated notes of one project up to 0.75. */
const SUBJECT = 0.8;
const SUBJECT_WORDS = 0.6;
const REFINES = 0.85;
/** Share of the old text's words in the new one, and the number of additional words. */
const CONTAINED = 0.8;
const MORE_TERMS = 3;
/** Minimum similarity for a model's proposal. */
const PLAUSIBLE: Readonly<Record<LearningRelation['kind'], { readonly cosine: number; readonly words: number }>> = {
  same: { cosine: 0.8, words: 0.45 },
  refines: { cosine: 0.75, words: 0.35 },
  contradicts: { cosine: 0.65, words: 0.25 },
};
/** Polarity is meaningless in longer texts, which are narratives. */
const MAX_TERMS_OF_A_CLAIM = 60;

/** Comparable categories. */
const CLASSES: Readonly<Record<LearningCategory, 'rule' | 'repair' | 'fact'>> = {
  best_practice: 'rule',
  pattern: 'rule',
  solution: 'repair',
  error: 'repair',
  config: 'fact',
  general: 'fact',
};

/** Returns the text of a learning that is embedded for comparison: without its context. */
export function comparedText(learning: { readonly title: string; readonly description: string }): string {
  return `${learning.title}\n${learning.description}`;
}

export function toCompared(
  learning: { readonly category: LearningCategory; readonly title: string; readonly description: string },
  vector: Float32Array | null,
  { likeness }: Pick<ComparedText, 'likeness'>,
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
    likeness,
  };
}

/** Returns NFKC lower-case words. */
export function normalisedText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Cosine of two normalised vectors; null if one is missing or their models differ. */
export function cosine(left: Float32Array | null, right: Float32Array | null): number | null {
  if (left === null || right === null || left.length !== right.length) return null;
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) sum += (left[index] ?? 0) * (right[index] ?? 0);
  return sum;
}

/** Cosine of two texts' vectors on the thresholds' scale; null as for `cosine`. */
function similarityOf(left: ComparedText, right: ComparedText): number | null {
  const found = cosine(left.vector, right.vector);
  return found === null ? null : left.likeness(found);
}

/** Share of common words, 0–1 (Jaccard). */
function sharedWords(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const both = countShared(left, right);
  const all = left.size + right.size - both;
  return all === 0 ? 0 : both / all;
}

/** Share of the words of `part` in `other`. */
function containedShare(part: ReadonlySet<string>, other: ReadonlySet<string>): number {
  return part.size === 0 ? 0 : countShared(part, other) / part.size;
}

/** Share of the smaller set in the other one. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const smaller = Math.min(left.size, right.size);
  return smaller === 0 ? 0 : countShared(left, right) / smaller;
}

function countShared(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of left) if (right.has(word)) shared += 1;
  return shared;
}

/** Similarity of two learnings, 0–1: by cosine if both have vectors, else common words. */
export function nearness(left: ComparedText, right: ComparedText): number {
  if (left.normalised === right.normalised) return 1;
  return similarityOf(left, right) ?? sharedWords(left.terms, right.terms);
}

/**
 * Relates a new learning to a known one by rules. Same: near-identical by embedding or words, or a part of the known one. Refines: same
 * subject and all of the known one plus more, or the proven fix of a known error. Contradicts: same subject with opposite polarity or
 * another value. Polarity is checked first: by embedding a rule and its opposite are nearly equal. `proven`: the new one cites a failure
 * and the following passing run.
 */
export function judge(draft: ComparedText, known: ComparedText, proven = false): Verdict {
  if (draft.normalised === known.normalised) return 'same';
  const similarity = similarityOf(draft, known);
  const near = similarity ?? 0;
  const isDuplicate = similarity !== null && similarity >= DUPLICATE_SIMILARITY;
  const sameClass = CLASSES[draft.category] === CLASSES[known.category];
  if (!sameClass && !isDuplicate) return 'new';
  const words = overlap(draft.terms, known.terms);
  const sharesName = countShared(draft.names, known.names) > 0;
  const oneSubject = similarity === null ? words >= SUBJECT_WORDS : near >= SUBJECT && (sharesName || words >= 0.4);
  if (oneSubject && opposed(draft, known, words)) return 'contradicts';
  const containsKnown = containedShare(known.terms, draft.terms) >= CONTAINED;
  const addedTerms = draft.terms.size - known.terms.size;
  const canRefine = similarity === null ? words >= CONTAINED : near >= REFINES;
  if (canRefine && containsKnown && addedTerms >= MORE_TERMS) return 'refines';
  if (canRefine && proven && known.category === 'error' && draft.category === 'solution' && sharesName)
    return 'refines';
  if (isDuplicate || (near >= SAME && words >= SAME_WORDS)) return 'same';
  if (similarity === null && sharedWords(draft.terms, known.terms) >= SAME_WORDS_ALONE) return 'same';
  // A shorter form of the known one.
  return canRefine && near >= 0.9 && containedShare(draft.terms, known.terms) >= 0.9 ? 'same' : 'new';
}

function opposed(draft: ComparedText, known: ComparedText, words: number): boolean {
  if (Math.min(draft.terms.size, known.terms.size) > MAX_TERMS_OF_A_CLAIM) return false;
  const { agreeing, opposing } = agreement(draft.polarities, known.polarities);
  if (opposing > 0 && opposing >= agreeing) return true;
  return words >= SUBJECT_WORDS && changedValue(draft.values, known.values);
}

/** Returns true if a model's relation of two learnings is plausible: they are similar enough, or name the same thing. */
export function isPlausible(kind: LearningRelation['kind'], draft: ComparedText, known: ComparedText): boolean {
  const bound = PLAUSIBLE[kind];
  const similarity = similarityOf(draft, known);
  const words = overlap(draft.terms, known.terms);
  if (similarity === null) return words >= bound.words;
  return similarity >= bound.cosine || (countShared(draft.names, known.names) > 0 && words >= bound.words);
}
