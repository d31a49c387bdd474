import type { Bounds } from './access.ts';

/** Types of events of the stream. */
export const STREAM_EVENT_TYPES = [
  'session.created',
  'session.updated',
  'observation.added',
  'summary.generated',
  'learning.extracted',
  'task.completed',
  'search.index_updated',
  'system.alert',
] as const;
export type StreamEventType = (typeof STREAM_EVENT_TYPES)[number];

/** A committed change: ids, counters and states, never content. */
export interface StreamEvent {
  /** Place in the stream of the instance; larger ones became visible later. */
  readonly position: number;
  readonly type: StreamEventType;
  readonly userId: string;
  /** Visible to its user and admins only. */
  readonly isPrivate: boolean;
  readonly projectId: string | null;
  readonly namespace: string | null;
  readonly sessionId: string | null;
  readonly subjectId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly occurredAt: string;
}

/** Who reads a stream. */
export interface StreamReader {
  /** The user whose private events are visible; undefined: those of every user, for admins. */
  readonly viewerId: string | undefined;
  readonly bounds: Bounds | null;
}

/** What a reader requested; null: everything. */
export interface StreamFilter {
  readonly types: readonly StreamEventType[] | null;
  readonly projectId: string | null;
  readonly sessionId: string | null;
}

function isWithin(allowed: readonly string[], value: string | null): boolean {
  return allowed.length === 0 || (value !== null && allowed.includes(value));
}

/** Returns whether a reader may see an event of its tenant: the rule of the policies on `stream_events`. */
export function mayRead({ viewerId, bounds }: StreamReader, event: StreamEvent): boolean {
  if (event.isPrivate && viewerId !== undefined && viewerId !== event.userId) return false;
  return (
    bounds === null || (isWithin(bounds.projects, event.projectId) && isWithin(bounds.namespaces, event.namespace))
  );
}

/** Returns whether a filter selects an event. */
export function matchesFilter({ types, projectId, sessionId }: StreamFilter, event: StreamEvent): boolean {
  return (
    (types === null || types.includes(event.type)) &&
    (projectId === null || projectId === event.projectId) &&
    (sessionId === null || sessionId === event.sessionId)
  );
}
