import { fuse } from '../fusion.ts';
import type { FusedMemory, RetrieverResult, Scale } from '../fusion.ts';
import type { RecallHit } from '../ports/vector-index.ts';
import { askedFor, priorOf } from './prior.ts';
import { sessionEvidence } from './session-evidence.ts';

export interface RankedMemory extends FusedMemory {
  readonly sessionId: string | null;
  /**
   * What the score is made of, each 0–1: the lanes fused; the factor of its kind; what its session says, null where there is none.
   */
  readonly parts: { readonly fused: number; readonly prior: number; readonly session: number | null };
}

export interface RankingWeights {
  /** Share of the session's evidence in a memory's score, 0–1; what was found of the memory itself has the rest. */
  readonly session: number;
}

/**
 * A long text has more chances that one of its chunks is near a question by accident; that two of them are says more. Measured: docs/search.md.
 */
const BEST_CHUNKS = 2;

/** Texts that have nothing in common are about that similar to the default model. */
export const SIMILARITY_FLOOR = 0.3;

/**
 * Scores against the best of the lane, not between its best and its worst: the worst of forty hits is no zero, and a memory that one lane
 * just missed would fall behind by chance.
 */
const byBest: Scale = (score, { name, top }) => {
  const floor = name === 'vector' ? SIMILARITY_FLOOR : 0;
  if (top <= floor) return score === top ? 1 : 0;
  return Math.max(0, (score - floor) / (top - floor));
};

/** How much a hit tells of its memory: not every store knows session, kind and tool. */
function toldBy({ sessionId, kind }: RecallHit): number {
  return (sessionId === undefined ? 0 : 1) + (kind === undefined ? 0 : 1);
}

/** Of each memory the hit that tells most of it, whichever lane it came from. */
function tellingHits(retrievers: readonly RetrieverResult[]): ReadonlyMap<string, RecallHit> {
  const hits = new Map<string, RecallHit>();
  for (const hit of retrievers.flatMap((retriever) => retriever.hits)) {
    const known = hits.get(hit.memoryId);
    if (known === undefined || toldBy(hit) > toldBy(known)) hits.set(hit.memoryId, hit);
  }
  return hits;
}

/**
 * Ranks what the lanes found, best first, scores 0–1: fused against the best of each lane, weighed by how likely its kind answers, and lifted
 * by what else its session says, since questions are about pieces of work and not about lines of output. Ties are broken by id.
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
