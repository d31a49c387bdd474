import { RerankerUnavailable } from '../domain/ports/reranker.ts';
import type { Reranker } from '../domain/ports/reranker.ts';

/** Characters of a candidate for the cross-encoder: the limit of its window. */
export const RERANK_CHARACTERS = 1_500;

/** Returns the relevance (0–1) of the best candidates to the query by id; null if the reranker is unavailable or too slow. Never takes longer than `timeoutMs`. */
export async function rerank(
  reranker: Reranker,
  query: string,
  candidates: readonly { readonly id: string; readonly text: string }[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, number> | null> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const scores = await reranker.score(
      query,
      candidates.map(({ text }) => text),
      signal,
    );
    return new Map(candidates.map(({ id }, place) => [id, scores[place] ?? 0]));
  } catch (error) {
    if (error instanceof RerankerUnavailable || signal.aborted) return null;
    throw error;
  }
}
