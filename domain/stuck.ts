/** Reasons of a session without progress. PostgreSQL determines all but `workflow_ended`. */
export const STUCK_REASONS = [
  'events_unconsumed',
  'windows_parked',
  'vectors_failed',
  'no_progress',
  'not_ended',
  'workflow_ended',
] as const;

/** The state of blocked work. */
export interface StuckFacts {
  readonly reason: (typeof STUCK_REASONS)[number];
  readonly windowsParked: number;
  /** Why a window is parked: a closed word. */
  readonly parkedFor: string | null;
  readonly vectorsFailed: number;
  readonly stillMs: number;
}

export interface StuckAdvice {
  readonly reason: StuckFacts['reason'];
  /** The reason, in one sentence for people. */
  readonly why: string;
  /** The remedy. */
  readonly advice: string;
}

function span(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes === 1) return 'a minute';
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}

function many(count: number, one: string, more: string): string {
  return count === 1 ? `One ${one}` : `${count} ${more}`;
}

/** Returns the reason and the remedy of blocked work, one sentence each. Contains closed words and numbers only, never captured text. */
export function stuckAdvice(facts: StuckFacts): StuckAdvice {
  const { reason } = facts;
  switch (reason) {
    case 'events_unconsumed':
      return {
        reason,
        why: `Captures have waited for ${span(facts.stillMs)} and no worker has consumed them.`,
        advice: 'See that the worker runs and serves the queues session and sweeps; then retry.',
      };
    case 'windows_parked':
      return {
        reason,
        why: `${many(facts.windowsParked, 'window was', 'windows were')} parked${facts.parkedFor === null ? '' : ` (${facts.parkedFor})`}: the model returned no usable summary.`,
        advice: 'Retry gives them new attempts; what was captured is there and searchable.',
      };
    case 'vectors_failed':
      return {
        reason,
        why: `The vector index rejected ${many(facts.vectorsFailed, 'chunk', 'chunks').toLowerCase()} too often.`,
        advice: 'See that Weaviate has disk space and accepts writes; then retry.',
      };
    case 'no_progress':
      return {
        reason,
        why: `Work is pending, and nothing has changed for ${span(facts.stillMs)}.`,
        advice: 'See that the worker runs and serves its queues, and that the embedding model is there; then retry.',
      };
    case 'not_ended':
      return {
        reason,
        why: `Nothing has changed for ${span(facts.stillMs)} and the session is not settled.`,
        advice: 'Retry wakes its workflow or starts it again.',
      };
    case 'workflow_ended':
      return {
        reason,
        why: 'Its workflow ended before the session did.',
        advice: 'Retry starts it again; if it ends so once more, keep the log of the worker.',
      };
  }
}
