import type { StreamSignal } from '../../contract/stream.ts';
import type { StreamEvent } from '../../domain/stream.ts';

/** Wait of a browser before it connects again. */
const RETRY_MS = 2_000;

function frame(id: number, type: string, message: object): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id: String(id), type, ...message })}\n\n`;
}

/** Returns an event as the stream sends it. JSON has no line breaks. */
export function eventFrame({ position, type, ...event }: StreamEvent): string {
  return frame(position, type, {
    occurred_at: event.occurredAt,
    project_id: event.projectId,
    session_id: event.sessionId,
    subject_id: event.subjectId,
    data: event.data,
  });
}

/** Returns an event of the stream itself: the reader has everything up to `position`. */
export function signalFrame(type: StreamSignal, position: number): string {
  return `${type === 'beat' ? '' : `retry: ${RETRY_MS}\n`}${frame(position, type, {})}`;
}
