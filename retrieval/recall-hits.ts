import type { RecallHit } from '../domain/ports/vector-index.ts';

/** Hits of several answers of one store as one, best first; a chunk that several hold counts once. */
export function united(answers: readonly (readonly RecallHit[])[]): readonly RecallHit[] {
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return only;
  const best = new Map<string, RecallHit>();
  for (const hit of answers.flat()) {
    const key = `${hit.memoryId} ${hit.chunk}`;
    if ((best.get(key)?.score ?? -Infinity) < hit.score) best.set(key, hit);
  }
  return [...best.values()].sort((a, b) => b.score - a.score);
}

/** Hits that another store counted: `best` is what counts there as full, `share` how much that is worth here. */
export interface OtherHits {
  readonly hits: readonly RecallHit[];
  readonly share: number;
  readonly best: number;
}

/**
 * A lane's hits with those of other stores among them. Scores of two stores do not compare: what another one counts as full is taken to be as good
 * as the lane's best hit, and nothing as `floor`, which counts nothing in this lane. What the lane found itself keeps the lane's score.
 */
export function alongside(
  retriever: readonly RecallHit[],
  floor: number,
  others: readonly OtherHits[],
): readonly RecallHit[] {
  const known = new Set(retriever.map((hit) => hit.memoryId));
  const top = Math.max(retriever[0]?.score ?? 1, floor);
  const added = others.flatMap(({ hits, share, best }) =>
    hits.flatMap((hit): RecallHit[] => {
      if (known.has(hit.memoryId) || best <= 0) return [];
      known.add(hit.memoryId);
      return [{ ...hit, score: floor + (top - floor) * share * Math.min(1, hit.score / best) }];
    }),
  );
  return added.length === 0 ? retriever : [...retriever, ...added].sort((a, b) => b.score - a.score);
}
