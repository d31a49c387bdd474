/** A candidate for a context block. */
export interface PackCandidate {
  readonly id: string;
  /** Its lines in the block, without a final line feed. */
  readonly text: string;
  readonly section: number;
  /** Not negative; comparable within one call only. */
  readonly value: number;
  /** Tokens of `text` and its line feed. */
  readonly tokens: number;
}

export interface Packed<Candidate extends PackCandidate> {
  /** In block order: by section, then by value. */
  readonly chosen: readonly Candidate[];
  readonly omitted: readonly Candidate[];
}

function byDensity(a: PackCandidate, b: PackCandidate): number {
  return b.value / b.tokens - a.value / a.tokens || b.value - a.value || a.id.localeCompare(b.id);
}

/**
 * Chooses candidates by value per token under a budget: the greedy knapsack solution, or the single most valuable candidate that fits,
 * whichever has more value (at least half of the optimum; Dantzig 1957). Independent of the order of the candidates.
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
