import { termCover } from '../domain/context/relevance.ts';
import { termsOf } from '../domain/text/terms.ts';
import type { RankedMemory } from './context-passages.ts';
import type { FoundMemory } from './search.ts';

/**
 * Search hits are served only if the best has this cosine similarity: an empty block is better than a wrong one. For queries about unknown
 * subjects the best is between 0.46 and 0.68, for answerable ones between 0.63 and 0.92 (docs/context.md).
 */
const LEAST_SIMILARITY = 0.72;
/** Or if one memory has this share of the query's terms, and a minimum number of them: 0.40 at most for the former, 0.40 to 1 for the latter. */
const LEAST_COVER = 0.5;
const LEAST_TERMS = 2;

function queryTerms(query: string): readonly string[] {
  return [...new Set(termsOf(query))];
}

/** Returns true if a query has enough terms to search: a word or two to continue request nothing. */
export function isSearchable(query: string): boolean {
  return queryTerms(query).length >= LEAST_TERMS;
}

/** Returns true if the hits are about the query, not merely the nearest unrelated ones. */
export function answersQuery(query: string, found: readonly FoundMemory[]): boolean {
  const terms = queryTerms(query);
  if (terms.length < LEAST_TERMS) return false;
  return found.some(
    ({ memory, retrievers }) =>
      (retrievers.vector?.score ?? 0) >= LEAST_SIMILARITY ||
      termCover(terms, `${memory.title}\n${memory.content}`) >= LEAST_COVER,
  );
}

/** Returns the hits for a prompt, with the reason. */
export function rankedByPrompt(found: readonly FoundMemory[]): RankedMemory[] {
  return found.map(({ memory, score }) => ({
    memory,
    score,
    reason: `matches the query, score ${score.toFixed(2)}`,
  }));
}
