import { setTimeout as pause } from 'node:timers/promises';
import { requestAgain } from '../../stores/postgres/connection/maintenance.ts';
import type { Comparison } from './dependencies.ts';

export interface Sample {
  readonly objectId: string;
  readonly memoryId: string;
  readonly chunk: number;
}

/** Vectors of an index that are asked for: a loss like the one that a restored index was seen to have takes most of them. */
export const SAMPLES = 64;
const NEIGHBOURS = 10;
/** Texts that are the same have the same vector: which of them is told first is chance. */
const SAME = 0.9999;

/** Those that a search for their own vector does not find. */
async function unfound({ vectors, tenantId, signal }: Comparison, model: string, samples: readonly Sample[]) {
  const own = await vectors.vectorsOf(
    tenantId,
    model,
    samples.map(({ objectId }) => objectId),
  );
  const lost: Sample[] = [];
  for (const sample of samples) {
    signal.throwIfAborted();
    const vector = own.get(sample.objectId);
    const hits =
      vector === undefined ? [] : await vectors.nearest(tenantId, model, Float32Array.from(vector), {}, NEIGHBOURS);
    const isFound = hits.some((hit) => hit.memoryId === sample.memoryId && hit.chunk === sample.chunk);
    const isCrowded = hits.length === NEIGHBOURS && hits.every((hit) => hit.score > SAME);
    if (!isFound && !isCrowded) lost.push(sample);
  }
  return lost;
}

/** Asks the index for some of its vectors, twice those that it does not find; they are written again. Answers whether the index has something to do. */
export async function findUnfindable(
  comparison: Comparison,
  model: string,
  samples: readonly Sample[],
): Promise<boolean> {
  const { maintenance, vectors, tenantId, tally, settleMs, signal, repair } = comparison;
  const suspects = await unfound(comparison, model, samples);
  if (suspects.length === 0) return false;
  await pause(settleMs, undefined, { signal });
  const standing = await vectors.standing(
    tenantId,
    model,
    suspects.map(({ objectId }) => objectId),
  );
  const lost = await unfound(
    comparison,
    model,
    suspects.filter(({ objectId }) => standing.has(objectId)),
  );
  tally.find('unfindable', lost.length);
  if (!repair || lost.length === 0) return false;
  const ids = lost.map(({ objectId }) => objectId);
  tally.repair('unfindable', await requestAgain(maintenance, tenantId, model, ids));
  return true;
}
