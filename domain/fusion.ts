import type { MemoryType, RecallHit } from './ports/vector-index.ts';

type LaneName = 'keyword' | 'vector' | 'graph' | 'recency';

/** One way of recall, with what it found, best first. */
export interface Lane {
  readonly name: LaneName;
  /** 0–1; the weights of all lanes that answered are scaled to sum to one. */
  readonly weight: number;
  readonly hits: readonly RecallHit[];
}

export interface LaneScore {
  /** As the store counted. */
  readonly score: number;
  /** 1 is best; of memories, not of chunks. */
  readonly rank: number;
  /** Scaled to 0–1 within the lane. */
  readonly relative: number;
}

export interface FusedMemory {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  /** Weighted sum of the lanes' relative scores, 0–1. */
  readonly score: number;
  readonly lanes: Readonly<
    Record<'keyword' | 'vector', LaneScore | null> & Partial<Record<LaneName, LaneScore | null>>
  >;
}

/** A score as 0–1, by what else its lane found. */
export type Scale = (
  score: number,
  lane: { readonly name: Lane['name']; readonly top: number; readonly bottom: number },
) => number;

/** Between the worst and the best of the lane. */
const byRange: Scale = (score, { top, bottom }) => (top === bottom ? 1 : (score - bottom) / (top - bottom));

interface BestChunk {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  readonly score: number;
}

/** The best chunk scores the memory; order as the lane gave it. */
function bestChunks(hits: readonly RecallHit[]): BestChunk[] {
  const best = new Map<string, BestChunk>();
  for (const hit of hits) if ((best.get(hit.memoryId)?.score ?? -Infinity) < hit.score) best.set(hit.memoryId, hit);
  return [...best.values()].sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}

/**
 * Relative-score fusion: each lane's scores are scaled to 0–1, between its worst and its best hit unless told otherwise, then summed by weight; a memory that a
 * lane did not find has 0 there. Ties are broken by id, so that the order is the same every time.
 * Source of the method: min-max normalised CombSUM (Fox and Shaw, TREC-2, 1994).
 */
export function fuse(lanes: readonly Lane[], scale: Scale = byRange): FusedMemory[] {
  const total = lanes.reduce((sum, lane) => sum + lane.weight, 0);
  const fused = new Map<string, FusedMemory>();
  for (const lane of lanes) {
    const chunks = bestChunks(lane.hits);
    const top = chunks[0]?.score ?? 0;
    const bottom = chunks.at(-1)?.score ?? 0;
    chunks.forEach((chunk, index) => {
      const relative = scale(chunk.score, { name: lane.name, top, bottom });
      const known = fused.get(chunk.memoryId) ?? {
        memoryId: chunk.memoryId,
        memoryType: chunk.memoryType,
        score: 0,
        lanes: { keyword: null, vector: null },
      };
      fused.set(chunk.memoryId, {
        ...known,
        score: known.score + (relative * lane.weight) / total,
        lanes: { ...known.lanes, [lane.name]: { score: chunk.score, rank: index + 1, relative } },
      });
    });
  }
  return [...fused.values()].sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}
