import { termsOf } from '../text/terms.ts';
import { termWeights, type Passage } from './passages.ts';

/** A memory that a search found, with its text cut into passages. Best first. */
export interface FoundText {
  /** As the search counted it, 0–1. */
  readonly score: number;
  readonly passages: readonly Passage[];
}

/** What a passage has of its memory's place alone: where the words of the answer are others than those of the question. */
const BASE = 0.1;
/** What a memory begins with says what it is about: the command that was run, the file that was changed, what the user asked. */
const BEGINNING = 0.2;
/** What stands beside a line that matches belongs to it. */
const NEIGHBOUR = 0.15;
/** How fast a memory's place in the search lets it fall behind; its score does the rest, by its root. */
const RANK_DECAY = 0.15;

/** How well a memory at a place (from 0) of the search's answer fits, 0–1: by place and by score, since how scores lie differs from search to search. */
export function placeWeight(score: number, best: number, place: number): number {
  return best <= 0 ? 0 : Math.sqrt(Math.max(0, score / best)) / (1 + RANK_DECAY * place);
}

/**
 * How relevant each passage of each memory is to the question, 0–1, in the order given. By the share of the question's terms that it has,
 * rare ones counting more, by that of its neighbours, and by the memory's place in the search.
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

/** Share of the question's terms that a text has, 0–1; 0 for a question without any. */
export function termCover(terms: readonly string[], text: string): number {
  if (terms.length === 0) return 0;
  const said = new Set(termsOf(text));
  return terms.filter((term) => said.has(term)).length / terms.length;
}
