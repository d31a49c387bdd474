import { termCover } from '../domain/context/relevance.ts';
import { termsOf } from '../domain/text/terms.ts';
import type { RankedMemory } from './context-passages.ts';
import type { FoundMemory } from './search.ts';

/**
 * What a search finds is told only from this cosine similarity of its best on: an empty block beats a wrong one. Of questions about what a
 * memory cannot know the best lies between 0.46 and 0.68, of those that it can answer between 0.63 and 0.92 (docs/context.md).
 */
const LEAST_SIMILARITY = 0.72;
/** Or where one memory has this share of the question's terms, and so many of them: 0.40 at most, and 0.40 to 1. */
const LEAST_COVER = 0.5;
const LEAST_TERMS = 2;

function queryTerms(query: string): readonly string[] {
  return [...new Set(termsOf(query))];
}

/** Whether a question says enough to be looked for: a word or two of going on ask for nothing. */
export function isSearchable(query: string): boolean {
  return queryTerms(query).length >= LEAST_TERMS;
}

/** Whether what was found speaks of what was asked at all, or is merely the nearest of what has nothing to do with it. */
export function answersQuery(query: string, found: readonly FoundMemory[]): boolean {
  const terms = queryTerms(query);
  if (terms.length < LEAST_TERMS) return false;
  return found.some(
    ({ memory, retrievers }) =>
      (retrievers.vector?.score ?? 0) >= LEAST_SIMILARITY ||
      termCover(terms, `${memory.title}\n${memory.content}`) >= LEAST_COVER,
  );
}

/** What a search found for a prompt, with why. */
export function rankedByPrompt(found: readonly FoundMemory[]): RankedMemory[] {
  return found.map(({ memory, score }) => ({
    memory,
    score,
    reason: `matches what was asked, score ${score.toFixed(2)}`,
  }));
}
