import type pg from 'pg';
import type { CaptureEvent, EventOwner, HostEvent } from '../../domain/capture/event.ts';
import { FullValues } from '../../domain/capture/full-values.ts';
import type { SpooledEvent } from '../../domain/capture/full-values.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { asId } from '../../domain/ids.ts';
import type { SessionId } from '../../domain/ids.ts';
import type { Captured } from '../../domain/transcripts/store.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { isDataFault } from '../../stores/postgres/connection/data-fault.ts';

/** Stores events in one statement; isolates rejected ones by halving. */
async function captureApart(pool: pg.Pool, events: readonly CaptureEvent[]): Promise<Captured[]> {
  try {
    return await captureEvents(pool, events);
  } catch (error) {
    if (!isDataFault(error)) throw error;
    if (events.length === 1) return [{ status: 'refused', rowId: null, sessionId: null }];
    const middle = Math.ceil(events.length / 2);
    return [
      ...(await captureApart(pool, events.slice(0, middle))),
      ...(await captureApart(pool, events.slice(middle))),
    ];
  }
}

/**
 * Captures events for a user: redacts and builds them as the API does, stores full values in `objects` (null: none), then hints the sessions'
 * workflows.
 */
export function createTranscriptCapture(
  pool: pg.Pool,
  hints: WorkflowHints,
  owner: EventOwner,
  objects: ObjectStore | null = null,
): (events: readonly HostEvent[]) => Promise<Captured[]> {
  return async (events) => {
    const receivedAt = new Date();
    const fullValues = new FullValues(objects, owner);
    const built: SpooledEvent[] = [];
    for (const event of events) built.push(await fullValues.build(event, receivedAt));
    const results = await captureApart(
      pool,
      built.map(({ event }) => event),
    );
    await fullValues.settle(built, results);
    const changed = new Set<SessionId>();
    for (const { status, sessionId } of results)
      if (status === 'accepted' && sessionId !== null) changed.add(asId<SessionId>(sessionId));
    for (const sessionId of changed) {
      // Lossy by design: the sweep resends lost hints.
      await hints.session(owner.tenantId, sessionId).catch(() => undefined);
    }
    return results;
  };
}
