/** One thing that a context block may hold. */
export interface PackCandidate {
  readonly id: string;
  /** The line or lines as they would stand in the block, without a line feed at the end. */
  readonly text: string;
  readonly section: number;
  /** What knowing it is worth, not negative; compares within one call only. */
  readonly value: number;
  /** Tokens of `text` and its line feed. */
  readonly tokens: number;
}

export interface Packed<Candidate extends PackCandidate> {
  /** In the order of the block: by section, then by value. */
  readonly chosen: readonly Candidate[];
  readonly omitted: readonly Candidate[];
}

function byDensity(a: PackCandidate, b: PackCandidate): number {
  return b.value / b.tokens - a.value / a.tokens || b.value - a.value || a.id.localeCompare(b.id);
}

/**
 * Chooses by value per token under a budget: the greedy solution of the knapsack, or the one most valuable candidate that fits, whichever
 * is worth more (never below half of the optimum; Dantzig 1957). Same candidates, same choice, whatever their order.
 */
export function pack<Candidate extends PackCandidate>(
  candidates: readonly Candidate[],
  budgetTokens: number,
): Packed<Candidate> {
  const fitting = candidates
    .filter((candidate) => candidate.tokens <= budgetTokens && candidate.value > 0)
    .sort(byDensity);
  let left = budgetTokens;
  const greedy: Candidate[] = [];
  for (const candidate of fitting) {
    if (candidate.tokens > left) continue;
    greedy.push(candidate);
    left -= candidate.tokens;
  }
  const single = fitting.toSorted((a, b) => b.value - a.value || a.id.localeCompare(b.id))[0];
  const worth = greedy.reduce((sum, candidate) => sum + candidate.value, 0);
  const chosen = single !== undefined && single.value > worth ? [single] : greedy;
  const ids = new Set(chosen.map((candidate) => candidate.id));
  return {
    chosen: chosen.toSorted((a, b) => a.section - b.section || b.value - a.value || a.id.localeCompare(b.id)),
    omitted: candidates.filter((candidate) => !ids.has(candidate.id)),
  };
}
