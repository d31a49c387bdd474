import { AsyncLocalStorage } from 'node:async_hooks';

/** Ids of a span in lower-case hex: 32 and 16 digits. */
export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** A span that code runs in. Timers and connections that began in it outlive it. */
export interface RunningSpan {
  readonly ids: SpanIds;
  isEnded: boolean;
}

const running = new AsyncLocalStorage<RunningSpan>();

/** Runs work in a span. */
export function runInSpan<Result>(span: RunningSpan, work: () => Result): Result {
  return running.run(span, work);
}

/** Returns the ids of the span that this code runs in; null without one, or if it ended. */
export function activeSpan(): SpanIds | null {
  const span = running.getStore();
  return span === undefined || span.isEnded ? null : span.ids;
}
