import type { Candidate } from './learnings/candidate.ts';

/** Similarity of two notes, 0–1. */
type Nearness = (left: Candidate, right: Candidate) => number;

interface SelectionRules {
  /** Token budget. */
  readonly budgetTokens: number;
  readonly tokensOf: (candidate: Candidate) => number;
  readonly near: Nearness;
  /** Similarity to known or used texts, 0–1. */
  readonly known: (candidate: Candidate) => number;
  /** Most notes per section. */
  readonly most: Readonly<Record<Candidate['place'], number>>;
}

/** Notes with this similarity are duplicates. */
const SAME = 0.75;
/** Penalty for similarity to a chosen note. */
const DIVERSITY = 0.6;
/** Additional tokens of every note, so that fragments do not win by being short. */
const OVERHEAD_TOKENS = 23;
/** Minimum value per token, whatever the remaining budget. */
const MIN_DENSITY = 0.0155;

/**
 * Fills the budget by value per token, with each choice lowering similar notes (maximal marginal relevance under a budget); returns the
 * chosen notes in reading order. Ties are in reading order. Deterministic.
 *
 * @see Lin and Bilmes, "Multi-document Summarization via Budgeted Maximization of Submodular Functions", NAACL 2010
 */
export function chosenOf(candidates: readonly Candidate[], rules: SelectionRules): readonly Candidate[] {
  const pool = candidates
    .map((candidate, index) => ({
      candidate,
      index,
      tokens: rules.tokensOf(candidate),
      nearest: rules.known(candidate),
    }))
    .filter(({ nearest }) => nearest < SAME);
  const chosen: Candidate[] = [];
  const counts = { narrative: 0, point: 0, item: 0, todo: 0 };
  let remaining = rules.budgetTokens;
  for (;;) {
    const fitting = pool.filter(
      ({ tokens, nearest, candidate }) =>
        tokens <= remaining && nearest < SAME && counts[candidate.place] < rules.most[candidate.place],
    );
    const best = fitting.reduce<(typeof pool)[number] | undefined>(
      (top, entry) => (top === undefined || density(entry) > density(top) ? entry : top),
      undefined,
    );
    if (best === undefined || density(best) < MIN_DENSITY) break;
    pool.splice(pool.indexOf(best), 1);
    chosen.push(best.candidate);
    counts[best.candidate.place] += 1;
    remaining -= best.tokens;
    for (const entry of pool) entry.nearest = Math.max(entry.nearest, rules.near(entry.candidate, best.candidate));
  }
  return chosen.sort((a, b) => a.rowIndex - b.rowIndex || a.order - b.order);
}

function density({
  candidate,
  tokens,
  nearest,
}: {
  readonly candidate: Candidate;
  readonly tokens: number;
  readonly nearest: number;
}): number {
  return (candidate.value - DIVERSITY * nearest) / (tokens + OVERHEAD_TOKENS);
}
