import { setTimeout as pause } from 'node:timers/promises';
import type { TenantId } from '../domain/ids.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import { reportProgress } from './heartbeat.ts';

const LOOK_MS = 250;
/** Wait for a queue that does not shrink. */
const STUCK_MS = 60_000;

/**
 * Waits until the vector store's queue of a tenant's index is empty, or did not become shorter for a minute. Before that a search misses sound
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
