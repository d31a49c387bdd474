import type pg from 'pg';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import type { CaptureEvent, Capturer, HostEvent } from '../../domain/capture/event.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { asId } from '../../domain/ids.ts';
import type { SessionId } from '../../domain/ids.ts';
import type { Captured } from '../../domain/transcripts/store.ts';
import { captureEvents } from '../../stores/postgres/capture.ts';

/** PostgreSQL's error classes for what is wrong with the data itself: data exception, integrity, program limit. */
const DATA_FAULT = /^(?:22|23|54)/;

function isDataFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DATA_FAULT.test(error.code);
}

/** Stores events together; where the store refuses them for what is in one, finds that one by halves. */
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

/** Captures events for a user: redacted and built as the api does it, then their sessions' workflows are told. */
export function createTranscriptCapture(
  pool: pg.Pool,
  hints: WorkflowHints,
  capturer: Capturer,
): (events: readonly HostEvent[]) => Promise<Captured[]> {
  return async (events) => {
    const receivedAt = new Date();
    const results = await captureApart(
      pool,
      events.map((event) => buildCaptureEvent(event, capturer, receivedAt)),
    );
    const told = new Set<SessionId>();
    for (const { status, sessionId } of results)
      if (status === 'accepted' && sessionId !== null) told.add(asId<SessionId>(sessionId));
    for (const sessionId of told) {
      // Lossy by design: the sweep finds sessions whose workflow was never told.
      await hints.session(capturer.tenantId, sessionId).catch(() => undefined);
    }
    return results;
  };
}
