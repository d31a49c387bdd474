import { termsOf } from './text/terms.ts';

/** The attributes of a candidate by which repetition is measured. */
export interface Repeatable {
  /** 0–1 */
  readonly score: number;
  readonly sessionId: string | null;
  /** The start of its text; '' if unknown. */
  readonly text: string;
}

/** Repetition between two memories of one session, whatever their content. */
const SAME_SESSION = 0.3;

/** Jaccard similarity of two word sets. */
function overlap(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  if (left.size === 0 || right.size === 0) return 0;
  const [small, large] = left.size < right.size ? [left, right] : [right, left];
  let common = 0;
  for (const term of small) if (large.has(term)) common += 1;
  return common / (left.size + right.size - common);
}

/**
 * Reorders candidates (best first): each next one has the highest score after subtracting `weight` (0–1) times its similarity to the
 * nearest one before it. Only the first `count` positions are chosen so; the others follow unchanged. Method: maximal marginal relevance
 * (Carbonell and Goldstein, SIGIR 1998), with a penalty in place of the convex sum, so that scores stay comparable.
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
