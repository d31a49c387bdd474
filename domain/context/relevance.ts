import { termsOf } from '../text/terms.ts';
import { termWeights, type Passage } from './passages.ts';

/** A memory found by search, with its passages. Best first. */
export interface FoundText {
  /** The search score, 0–1. */
  readonly score: number;
  readonly passages: readonly Passage[];
}

/** Relevance from the memory's rank alone, for answers that share no words with the query. */
const BASE = 0.1;
/** Bonus of a memory's first passage, which usually names its subject: the command, the file, the user's request. */
const BEGINNING = 0.2;
/** Share of relevance that a matching passage gives to its neighbours. */
const NEIGHBOUR = 0.15;
/** Decay of relevance by rank; the score contributes its square root. */
const RANK_DECAY = 0.15;

/** Returns the weight (0–1) of a result by its rank (from 0) and its score relative to the best: absolute scores differ between searches. */
export function placeWeight(score: number, best: number, place: number): number {
  return best <= 0 ? 0 : Math.sqrt(Math.max(0, score / best)) / (1 + RANK_DECAY * place);
}

/**
 * Returns the relevance of each passage to the query, 0–1, in the order given: by its share of the query's terms, weighted by rarity, by
 * its neighbours' share, and by the memory's rank in the search.
 */
export function passageRelevance(query: string, found: readonly FoundText[]): readonly (readonly number[])[] {
  const weights = termWeights(
    query,
    found.map((each) => each.passages),
  );
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const best = Math.max(0, ...found.map((each) => each.score));
  const shareOf = (passage: Passage | undefined): number => {
    if (passage === undefined || total === 0) return 0;
    let share = 0;
    for (const [term, weight] of weights) if (passage.terms.has(term)) share += weight;
    return share / total;
  };
  return found.map(({ score, passages }, place) => {
    const shares = passages.map(shareOf);
    return shares.map((share, n) => {
      const beside = Math.max(shares[n - 1] ?? 0, shares[n + 1] ?? 0);
      const match = BASE + (n === 0 ? BEGINNING : 0) + share + NEIGHBOUR * beside;
      return (placeWeight(score, best, place) * match) / (1 + BASE + BEGINNING + NEIGHBOUR);
    });
  });
}

/** Returns the share of the query's terms in a text, 0–1; 0 for a query without terms. */
export function termCover(terms: readonly string[], text: string): number {
  if (terms.length === 0) return 0;
  const textTerms = new Set(termsOf(text));
  return terms.filter((term) => textTerms.has(term)).length / terms.length;
}
