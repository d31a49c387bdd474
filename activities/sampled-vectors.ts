import type { TenantId } from '../domain/ids.ts';
import { MOST_HITS } from '../domain/ports/vector-index.ts';
import type { IndexHit, VectorIndex } from '../domain/ports/vector-index.ts';
import { reportProgress } from './heartbeat.ts';

/** A chunk whose vector is searched for. */
export interface Sample {
  readonly objectId: string;
}

/** Cosine similarity of two equal vectors, allowing for rounding. */
export const SAME = 0.9999;

/** Returns true if a chunk is among the hits of a search by its own vector. */
export function isAmong(hits: readonly IndexHit[], sample: Sample): boolean {
  return hits.some((hit) => hit.objectId === sample.objectId);
}

/** Searches for each sample by its own vector. Returns those whose hits `isFound` does not accept, and those without a vector. */
export async function unfoundSamples(
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  samples: readonly Sample[],
  isFound: (hits: readonly IndexHit[], sample: Sample) => boolean,
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
    if (!isFound(hits, sample)) unfound.push(sample);
  }
  return unfound;
}
