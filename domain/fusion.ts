import type { MemoryType, RecallHit } from './ports/vector-index.ts';

type RetrieverName = 'keyword' | 'vector' | 'graph' | 'recency';

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

interface ScoredMemory {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  /** Of the best chunk. */
  readonly best: number;
  /** Mean of the best chunks. */
  readonly score: number;
}

/** Groups chunks into memories by the mean of their best `chunks` scores; best first. */
function memoriesOf(hits: readonly RecallHit[], chunks: number): ScoredMemory[] {
  const found = new Map<string, { readonly memoryType: MemoryType; readonly scores: number[] }>();
  for (const { memoryId, memoryType, score } of hits) {
    const known = found.get(memoryId);
    if (known === undefined) found.set(memoryId, { memoryType, scores: [score] });
    else known.scores.push(score);
  }
  return [...found]
    .map(([memoryId, { memoryType, scores }]): ScoredMemory => {
      const counted = scores.toSorted((a, b) => b - a).slice(0, chunks);
      const score = counted.reduce((sum, each) => sum + each, 0) / counted.length;
      return { memoryId, memoryType, best: counted[0] ?? score, score };
    })
    .sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}

/**
 * Relative-score fusion: scales each retriever's scores to 0–1, by default between its worst and its best hit, and sums them by weight; a
 * missing memory counts 0. The best chunk scores the memory, or the mean of the best two. Ties are broken by id. Method: min-max
 * normalised CombSUM (Fox and Shaw, TREC-2, 1994).
 */
export function fuse(retrievers: readonly RetrieverResult[], scale: Scale = byRange, chunks: 1 | 2 = 1): FusedMemory[] {
  const total = retrievers.reduce((sum, retriever) => sum + retriever.weight, 0);
  const fused = new Map<string, FusedMemory>();
  for (const retriever of retrievers) {
    const memories = memoriesOf(retriever.hits, chunks);
    const top = memories[0]?.score ?? 0;
    const bottom = memories.at(-1)?.score ?? 0;
    memories.forEach(({ memoryId, memoryType, best, score }, index) => {
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
        retrievers: { ...known.retrievers, [retriever.name]: { score: best, rank: index + 1, relative } },
      });
    });
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}
