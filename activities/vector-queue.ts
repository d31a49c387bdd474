import { setTimeout as pause } from 'node:timers/promises';
import type { TenantId } from '../domain/ids.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import { reportProgress } from './heartbeat.ts';

const LOOK_MS = 250;
/**
 * Wait for a queue that does not shrink. It shrinks by files of 10 MB, some 6,500 vectors of 384 dimensions, which take half a minute on two
 * cores in use; less than the silence after which an attempt counts as hung (heartbeat.ts).
 */
const STUCK_MS = 300_000;

/**
 * Waits until the vector store's queue of a tenant's index is empty, or did not become shorter for five minutes. Before that a search misses sound
 * vectors.
 * @throws the signal's reason if it is aborted
 */
export async function queueEmptied(
  vectors: VectorIndex,
  tenantId: TenantId,
  model: string,
  signal: AbortSignal,
): Promise<void> {
  let shortest = Infinity;
  let since = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const queued = await vectors.queued(tenantId, model);
    if (queued === 0) return;
    if (queued < shortest) {
      reportProgress();
      shortest = queued;
      since = performance.now();
    }
    if (performance.now() - since > STUCK_MS) return;
    await pause(LOOK_MS, undefined, { signal });
  }
}
