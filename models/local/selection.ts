import type { Candidate } from './learnings/candidate.ts';

/** How much two notes say the same: 0 (nothing) to 1. */
type Nearness = (left: Candidate, right: Candidate) => number;

interface SelectionRules {
  /** Tokens that may be filled. */
  readonly room: number;
  readonly tokensOf: (candidate: Candidate) => number;
  readonly near: Nearness;
  /** Nearness to what is known or said already, 0 to 1. */
  readonly known: (candidate: Candidate) => number;
  /** At most so many of a place. */
  readonly most: Readonly<Record<Candidate['place'], number>>;
}

/** Two notes this near are one. */
const SAME = 0.75;
/** What a note loses for nearness to a chosen one. */
const DIVERSITY = 0.6;
/** Tokens that every note costs beside its own, so that scraps do not win by being short. */
const OVERHEAD_TOKENS = 20;
/** A note below this worth for its size is left out, however much room there is. */
const MIN_DENSITY = 0.009;

/**
 * Fills the room by worth for size, each choice lowering what is near to it (maximal marginal relevance under a budget), and answers the
 * chosen in reading order. Equal ones keep reading order, so that the same candidates always give the same choice.
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
  const counts = { told: 0, point: 0, item: 0, todo: 0 };
  let room = rules.room;
  for (;;) {
    const fitting = pool.filter(
      ({ tokens, nearest, candidate }) =>
        tokens <= room && nearest < SAME && counts[candidate.place] < rules.most[candidate.place],
    );
    const best = fitting.reduce<(typeof pool)[number] | undefined>(
      (top, entry) => (top === undefined || density(entry) > density(top) ? entry : top),
      undefined,
    );
    if (best === undefined || density(best) < MIN_DENSITY) break;
    pool.splice(pool.indexOf(best), 1);
    chosen.push(best.candidate);
    counts[best.candidate.place] += 1;
    room -= best.tokens;
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
