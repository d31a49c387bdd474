import { termsOf } from './text/terms.ts';

/** What is known of a candidate to tell how much it repeats another. */
export interface Repeatable {
  /** 0–1 */
  readonly score: number;
  readonly sessionId: string | null;
  /** How it begins; '' where nothing is known. */
  readonly text: string;
}

/** Two memories of one session repeat each other this much, whatever they say. */
const SAME_SESSION = 0.3;

/** Share of words that two sets have in common, of those that either has (Jaccard). */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  if (left.size === 0 || right.size === 0) return 0;
  const [small, large] = left.size < right.size ? [left, right] : [right, left];
  let common = 0;
  for (const term of small) if (large.has(term)) common += 1;
  return common / (left.size + right.size - common);
}

/**
 * The order in which candidates (best first) are shown: each next one is the best after what it repeats of those before it is taken off,
 * `weight` (0–1) times its likeness to the nearest of them. Only the first `count` places are chosen so; the others follow as they were.
 * Source of the method: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), with a penalty in place of the convex sum, so that
 * scores keep their meaning.
 */
export function diversified<Candidate extends Repeatable>(
  candidates: readonly Candidate[],
  weight: number,
  count: number,
): Candidate[] {
  if (weight <= 0 || candidates.length < 3) return [...candidates];
  const left = candidates.map((candidate) => ({ candidate, terms: new Set(termsOf(candidate.text)), repeats: 0 }));
  const chosen: Candidate[] = [];
  while (left.length > 0 && chosen.length < count) {
    let best = 0;
    let bestValue = -Infinity;
    left.forEach(({ candidate, repeats }, place) => {
      const value = candidate.score - weight * repeats;
      if (value > bestValue) [best, bestValue] = [place, value];
    });
    const [taken] = left.splice(best, 1);
    if (taken === undefined) break;
    chosen.push(taken.candidate);
    const { sessionId } = taken.candidate;
    for (const other of left) {
      const sameSession = sessionId !== null && other.candidate.sessionId === sessionId ? SAME_SESSION : 0;
      other.repeats = Math.max(other.repeats, sameSession, overlap(taken.terms, other.terms));
    }
  }
  return [...chosen, ...left.map(({ candidate }) => candidate)];
}
