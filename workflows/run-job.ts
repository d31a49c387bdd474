import {
  CancellationScope,
  defineQuery,
  isCancellation,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { failureReason } from './failures.ts';
import { ATTRIBUTES, PROGRESS_QUERY } from './registry.ts';

export interface JobEnd<State extends string = 'completed' | 'failed' | 'cancelled'> {
  readonly state: State;
  /** Type of the failure. */
  readonly error: string | null;
}

/**
 * Runs the work of a job. A failed or cancelled job records its end, also while it is cancelled, and fails; a job whose row records its completion
 * does that itself by `finish`.
 */
export async function runJob<Result>(
  work: () => Promise<Result>,
  end: (end: JobEnd<'failed' | 'cancelled'>, cause: unknown) => Promise<void>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const how: JobEnd<'failed' | 'cancelled'> = isCancellation(error)
      ? { state: 'cancelled', error: null }
      : { state: 'failed', error: failureReason(error) };
    await finish(() => end(how, error));
    throw error;
  }
}

/** Runs a step that a cancellation does not interrupt. */
export function finish<Result>(step: () => Promise<Result>): Promise<Result> {
  return CancellationScope.nonCancellable(step);
}

/** Answers the progress query with the latest view. */
export class Progress<View> {
  view: View;

  constructor(view: View) {
    this.view = view;
    setHandler(defineQuery<View>(PROGRESS_QUERY), () => this.view);
  }
}

/** Shows the phase of a workflow where workflows are listed. */
export function showPhase(phase: string): void {
  upsertSearchAttributes([{ key: ATTRIBUTES.phase, value: phase }]);
}
