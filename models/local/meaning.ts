import { overlap, termsOf } from '../../domain/text/terms.ts';
import type { Candidate } from './learnings/candidate.ts';

/** Embeds sentences as normalised vectors, in order. If it fails, the model compares by words. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<readonly Float32Array[]>;

/** Similarities of notes to each other and to known texts, each 0–1. */
interface Meaning {
  readonly near: (left: Candidate, right: Candidate) => number;
  readonly known: (candidate: Candidate) => number;
  /** How well a note answers the user's last sentence before it; 0 without vectors, since words alone mislead. */
  readonly answers: (candidate: Candidate) => number;
}

/** Embedding costs about 10 ms per sentence: limit per window. */
const MOST_SENTENCES = 16;
const MOST_KNOWN = 8;
const MAX_CHARACTERS = 300;
/** Range of the embedder's cosines between sentences of one session. */
const UNRELATED = 0.55;
const THE_SAME = 0.95;

/**
 * Returns the similarity by words. A sentence equals a longer one with all its words; for commands, and for statements compared with
 * requests, the longer one counts.
 */
export function nearByWords(left: Candidate, right: Candidate): number {
  const shared = overlap(left.terms, right.terms);
  const isSpeech = left.place !== 'point' && right.place !== 'point';
  if (isSpeech && left.isFromUser === right.isFromUser) return shared;
  const sizes = [new Set(left.terms).size, new Set(right.terms).size];
  return (shared * Math.min(...sizes)) / Math.max(...sizes, 1);
}

/** Similarities by words. */
function meaningOfWords(known: readonly string[]): Meaning {
  const knownTerms = known.map((text) => termsOf(text));
  return {
    near: nearByWords,
    known: ({ terms }) => knownTerms.reduce((most, other) => Math.max(most, overlap(terms, other)), 0),
    answers: () => 0,
  };
}

/**
 * Returns similarities by vectors and words, whichever are higher. Embeds the most valuable sentences and the nearest known texts in one
 * call without duplicates. Falls back to words without an embedder or if it fails. @throws the signal's reason if the caller aborted
 */
export async function meaningOf(
  candidates: readonly Candidate[],
  known: readonly string[],
  embed: Embed | undefined,
  signal: AbortSignal,
): Promise<Meaning> {
  const words = meaningOfWords(known);
  const spoken = candidates
    .filter(({ place }) => place !== 'point')
    .toSorted((a, b) => b.value - a.value)
    .slice(0, MOST_SENTENCES);
  const knownTexts = known.slice(0, MOST_KNOWN).map(shortened);
  const texts = [...new Set([...spoken.map(({ text }) => shortened(text)), ...knownTexts])];
  if (embed === undefined || texts.length < 2) return words;
  const vectors = await vectorsOf(texts, embed, signal);
  if (vectors === null) return words;
  const vectorOf = (text: string): Float32Array | undefined => vectors.get(shortened(text));
  const requests = candidates.filter((candidate) => candidate.isFromUser);
  return {
    near: (left, right) => Math.max(words.near(left, right), likeness(vectorOf(left.text), vectorOf(right.text))),
    known: (candidate) =>
      knownTexts.reduce(
        (most, text) => Math.max(most, likeness(vectorOf(candidate.text), vectors.get(text))),
        words.known(candidate),
      ),
    answers: (candidate) => {
      if (candidate.isFromUser) return 0;
      const before = requests.findLast(({ rowIndex }) => rowIndex <= candidate.rowIndex);
      return before === undefined
        ? 0
        : requests
            .filter(({ rowIndex }) => rowIndex === before.rowIndex)
            .reduce((most, { text }) => Math.max(most, likeness(vectorOf(candidate.text), vectorOf(text))), 0);
    },
  };
}

async function vectorsOf(
  texts: readonly string[],
  embed: Embed,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Float32Array> | null> {
  try {
    const vectors = await embed(texts, signal);
    return new Map(texts.flatMap((text, index) => (vectors[index] === undefined ? [] : [[text, vectors[index]]])));
  } catch {
    // A summary by words is better than none; search reports a missing embedder.
    signal.throwIfAborted();
    return null;
  }
}

/** Rounds to two places, so that rounding errors of a sum do not change a choice. */
function likeness(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (left === undefined || right === undefined) return 0;
  let cosine = 0;
  for (let index = 0; index < left.length; index += 1) cosine += (left[index] ?? 0) * (right[index] ?? 0);
  return Math.round(Math.min(1, Math.max(0, (cosine - UNRELATED) / (THE_SAME - UNRELATED))) * 100) / 100;
}

function shortened(text: string): string {
  return text.slice(0, MAX_CHARACTERS);
}
