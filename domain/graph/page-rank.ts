interface WeightedEdge {
  readonly from: string;
  readonly to: string;
  readonly weight: number;
}

/** Probability of continuing instead of restarting at a seed. */
const DAMPING = 0.85;
/** With nodes at most two steps from the seeds, more rounds have no visible effect. */
const ROUNDS = 15;

/**
 * Returns each node's proximity to the seeds: the share of time of a random walk along edges in both directions, by weight, that restarts
 * at a seed with probability 0.15. Shares sum to one; unreachable nodes are absent. Method: topic-sensitive PageRank (Haveliwala, WWW 2002).
 */
export function personalisedPageRank(
  edges: readonly WeightedEdge[],
  seeds: readonly string[],
): ReadonlyMap<string, number> {
  if (seeds.length === 0) return new Map();
  const neighbours = new Map<string, Map<string, number>>();
  const join = (from: string, to: string, weight: number) => {
    const known = neighbours.get(from) ?? new Map<string, number>();
    known.set(to, (known.get(to) ?? 0) + weight);
    neighbours.set(from, known);
  };
  for (const { from, to, weight } of edges) {
    if (from === to || weight <= 0) continue;
    join(from, to, weight);
    join(to, from, weight);
  }
  const restart = 1 / new Set(seeds).size;
  let shares = new Map([...new Set(seeds)].map((seed) => [seed, restart]));
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = new Map<string, number>();
    let stranded = 0;
    for (const [node, share] of shares) {
      const around = neighbours.get(node);
      if (around === undefined) {
        // A seed without relations: the walk restarts.
        stranded += share;
        continue;
      }
      const total = [...around.values()].reduce((sum, weight) => sum + weight, 0);
      for (const [to, weight] of around) next.set(to, (next.get(to) ?? 0) + (DAMPING * share * weight) / total);
    }
    for (const seed of new Set(seeds))
      next.set(seed, (next.get(seed) ?? 0) + restart * (1 - DAMPING + DAMPING * stranded));
    shares = next;
  }
  return shares;
}
