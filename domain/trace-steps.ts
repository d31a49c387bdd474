/** Steps from the event to its last vector. `index_…`: from the request of vectors to the last of them. */
export const TRACE_STEPS = [
  'deliver',
  'consume',
  'index_row',
  'window',
  'summarise',
  'index_summary',
  'learn',
  'index_learning',
] as const;

export interface TraceStep {
  readonly name: (typeof TRACE_STEPS)[number];
  /** End of what it waited for: the time that it waited is part of it. */
  readonly startedAt: Date;
  /** Null: not complete. */
  readonly durationMs: number | null;
}

export const VECTOR_SOURCES = ['row', 'summary', 'learning'] as const;

/** Vectors of the rows of an event, or of what was derived from them. */
export interface VectorTimes {
  readonly of: (typeof VECTOR_SOURCES)[number];
  readonly requestedAt: Date;
  /** When the last was indexed; null if one is missing. */
  readonly indexedAt: Date | null;
}

export interface EventTimes {
  readonly occurredAt: Date;
  readonly receivedAt: Date;
  readonly isConsumed: boolean;
  /** Models process the event. */
  readonly infer: boolean;
  readonly windowAt: Date | null;
  /** Its window waits for a model. */
  readonly isWindowPending: boolean;
  readonly summariesAt: readonly Date[];
  readonly learningsAt: readonly Date[];
  readonly vectors: readonly VectorTimes[];
}

function earliest(times: readonly Date[]): Date | null {
  return times.length === 0 ? null : new Date(Math.min(...times.map((time) => time.getTime())));
}

function latest(times: readonly Date[]): Date | null {
  return times.length === 0 ? null : new Date(Math.max(...times.map((time) => time.getTime())));
}

/** Returns the steps of an event that began, in order. A step that ended at an unknown time, and one that nothing waits for, are left out. */
export function stepsOf(times: EventTimes): TraceStep[] {
  const { receivedAt, windowAt, vectors } = times;
  const steps: TraceStep[] = [];
  const add = (name: TraceStep['name'], startedAt: Date | null, endedAt: Date | null, isPending: boolean): void => {
    if (startedAt === null || (endedAt === null && !isPending)) return;
    // The clock of the host may be ahead of the server's.
    const durationMs = endedAt === null ? null : Math.max(0, endedAt.getTime() - startedAt.getTime());
    steps.push({ name, startedAt, durationMs });
  };
  const addVectors = (of: VectorTimes['of']): void => {
    const found = vectors.find((one) => one.of === of);
    if (found !== undefined) add(`index_${of}`, found.requestedAt, found.indexedAt, true);
  };
  const consumedAt = vectors.find(({ of }) => of === 'row')?.requestedAt ?? windowAt;
  const summarisedAt = earliest(times.summariesAt);
  add('deliver', times.occurredAt, receivedAt, false);
  add('consume', receivedAt, consumedAt, !times.isConsumed);
  addVectors('row');
  add('window', consumedAt, windowAt, times.infer && times.isConsumed);
  add('summarise', windowAt, summarisedAt, times.isWindowPending);
  addVectors('summary');
  add('learn', summarisedAt, latest(times.learningsAt), false);
  addVectors('learning');
  return steps;
}
