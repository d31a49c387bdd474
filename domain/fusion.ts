import type { MemoryType, RecallHit } from './ports/vector-index.ts';

type RetrieverName = 'keyword' | 'vector' | 'recency';

/** The hits of one retriever, best first. */
export interface RetrieverResult {
  readonly name: RetrieverName;
  /** 0–1; the weights of all responding retrievers are scaled to a sum of one. */
  readonly weight: number;
  readonly hits: readonly RecallHit[];
}

export interface RetrieverScore {
  /** The store's score of the best chunk. */
  readonly score: number;
  /** 1 is best; among memories, not chunks. */
  readonly rank: number;
  /** Scaled to 0–1 within the retriever. */
  readonly relative: number;
}

export interface FusedMemory {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  /** Weighted sum of the retrievers' relative scores, 0–1. */
  readonly score: number;
  readonly retrievers: Readonly<
    Record<'keyword' | 'vector', RetrieverScore | null> & Partial<Record<RetrieverName, RetrieverScore | null>>
  >;
}

/** Scales a score to 0–1 by the other hits of its retriever. */
export type Scale = (
  score: number,
  retriever: { readonly name: RetrieverResult['name']; readonly top: number; readonly bottom: number },
) => number;

/** Between the retriever's worst and best score. */
const byRange: Scale = (score, { top, bottom }) => (top === bottom ? 1 : (score - bottom) / (top - bottom));

/** Returns the best hit of each memory, best first. */
function memoriesOf(hits: readonly RecallHit[]): RecallHit[] {
  const best = new Map<string, RecallHit>();
  for (const hit of hits) if ((best.get(hit.memoryId)?.score ?? -Infinity) < hit.score) best.set(hit.memoryId, hit);
  return [...best.values()].sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}

/**
 * Relative-score fusion: scales each retriever's scores to 0–1, by default between its worst and its best hit, and sums them by weight; a
 * missing memory counts 0. The best chunk scores the memory. Ties are broken by id. Method: min-max normalised CombSUM (Fox and Shaw,
 * TREC-2, 1994).
 */
export function fuse(retrievers: readonly RetrieverResult[], scale: Scale = byRange): FusedMemory[] {
  const total = retrievers.reduce((sum, retriever) => sum + retriever.weight, 0);
  const fused = new Map<string, FusedMemory>();
  for (const retriever of retrievers) {
    const memories = memoriesOf(retriever.hits);
    const top = memories[0]?.score ?? 0;
    const bottom = memories.at(-1)?.score ?? 0;
    memories.forEach(({ memoryId, memoryType, score }, index) => {
      const relative = scale(score, { name: retriever.name, top, bottom });
      const known = fused.get(memoryId) ?? {
        memoryId,
        memoryType,
        score: 0,
        retrievers: { keyword: null, vector: null },
      };
      fused.set(memoryId, {
        ...known,
        score: known.score + (relative * retriever.weight) / total,
        retrievers: { ...known.retrievers, [retriever.name]: { score, rank: index + 1, relative } },
      });
    });
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}
