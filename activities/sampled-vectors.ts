import type { TenantId } from '../domain/ids.ts';
import { MOST_HITS } from '../domain/ports/vector-index.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import { reportProgress } from './heartbeat.ts';

/** A chunk whose vector is searched for. */
export interface Sample {
  readonly objectId: string;
  readonly memoryId: string;
  readonly chunk: number;
}

/** Cosine similarity of two equal vectors, allowing for rounding. */
const SAME = 0.9999;

/** Returns the samples that a search by their own vector does not find. Equal texts have equal vectors, whose order is arbitrary. */
export async function unfoundSamples(
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<Sample[]> {
  const own = await vectors.vectorsOf(
    tenantId,
    index,
    samples.map(({ objectId }) => objectId),
  );
  const unfound: Sample[] = [];
  for (const sample of samples) {
    reportProgress(signal);
    const vector = own.get(sample.objectId);
    const hits =
      vector === undefined ? [] : await vectors.nearest(tenantId, index, Float32Array.from(vector), {}, MOST_HITS);
    const isFound = hits.some((hit) => hit.memoryId === sample.memoryId && hit.chunk === sample.chunk);
    const isCrowded = hits.length === MOST_HITS && hits.every((hit) => hit.score > SAME);
    if (!isFound && !isCrowded) unfound.push(sample);
  }
  return unfound;
}
