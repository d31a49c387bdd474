import { fuse } from '../fusion.ts';
import type { FusedMemory, RetrieverResult, Scale } from '../fusion.ts';
import type { RecallHit } from '../ports/vector-index.ts';
import { askedFor, priorOf } from './prior.ts';
import { sessionEvidence } from './session-evidence.ts';

export interface RankedMemory extends FusedMemory {
  readonly sessionId: string | null;
  /** Parts of the score, each 0–1: the fused score, the factor of its kind, and the evidence of its session, null without a session. */
  readonly parts: { readonly fused: number; readonly prior: number; readonly session: number | null };
}

export interface RankingWeights {
  /** Share of the session's evidence in a memory's score, 0–1; the memory's own score has the rest. */
  readonly session: number;
}

/** A long text is more likely to have one chunk near a query by accident; two near chunks are stronger evidence. Measured: docs/search.md. */
const BEST_CHUNKS = 2;

/** Similarity of unrelated texts in the default model. */
export const SIMILARITY_FLOOR = 0.3;

/**
 * Scales by the retriever's best score, not between best and worst: the last of forty hits is not worth zero, and a memory that one
 * retriever just missed would lose by chance.
 */
const byBest: Scale = (score, { name, top }) => {
  const floor = name === 'vector' ? SIMILARITY_FLOOR : 0;
  if (top <= floor) return score === top ? 1 : 0;
  return Math.max(0, (score - floor) / (top - floor));
};

/** Returns how many attributes of its memory a hit has: not every store returns session, kind and tool. */
function toldBy({ sessionId, kind }: RecallHit): number {
  return (sessionId === undefined ? 0 : 1) + (kind === undefined ? 0 : 1);
}

/** Returns for each memory the most complete hit of any retriever. */
function tellingHits(retrievers: readonly RetrieverResult[]): ReadonlyMap<string, RecallHit> {
  const hits = new Map<string, RecallHit>();
  for (const hit of retrievers.flatMap((retriever) => retriever.hits)) {
    const known = hits.get(hit.memoryId);
    if (known === undefined || toldBy(hit) > toldBy(known)) hits.set(hit.memoryId, hit);
  }
  return hits;
}

/**
 * Ranks the retrievers' hits, best first, scores 0–1: fused by each retriever's best score, weighted by the kind's prior, and raised by the
 * other evidence of the session, since queries are about pieces of work, not lines of output. Ties are broken by id.
 */
export function rankMemories(
  retrievers: readonly RetrieverResult[],
  query: string,
  weights: RankingWeights,
): RankedMemory[] {
  const hits = tellingHits(retrievers);
  const asked = askedFor(query);
  const own = fuse(retrievers, byBest, BEST_CHUNKS).map((memory) => {
    const hit = hits.get(memory.memoryId);
    const prior = hit === undefined ? 1 : priorOf(hit, asked);
    return { memory, prior, score: memory.score * prior, sessionId: hit?.sessionId ?? null };
  });
  const evidence = sessionEvidence(own);
  return own
    .map(({ memory, prior, score, sessionId }): RankedMemory => {
      const session = sessionId === null ? null : (evidence.get(sessionId) ?? 0);
      return {
        ...memory,
        sessionId,
        score: session === null ? score : (1 - weights.session) * score + weights.session * session,
        parts: { fused: memory.score, prior, session },
      };
    })
    .toSorted((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}
