import type { RecallHit } from '../domain/ports/vector-index.ts';

/** Merges hits of one store, best first; a repeated chunk counts once. */
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

/** Hits of another store: `best` is its full score, `share` the value of that here. */
export interface OtherHits {
  readonly hits: readonly RecallHit[];
  readonly share: number;
  readonly best: number;
}

/**
 * Merges hits of other stores into a retriever's. Scores of two stores are not comparable: another store's full score equals the
 * retriever's best hit, and zero equals `floor`, which counts nothing here. The retriever's own hits retain their score.
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
