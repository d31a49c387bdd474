import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';

/** The failure that an activity, or an activity of a child workflow, ended with. */
export function applicationFailure(error: unknown): ApplicationFailure | TimeoutFailure | null {
  if (error instanceof ApplicationFailure || error instanceof TimeoutFailure) return error;
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) return applicationFailure(error.cause);
  return null;
}

/** Type of what a workflow's step ended with: never its message. */
export function failureReason(error: unknown): string {
  const failure = applicationFailure(error);
  return failure instanceof ApplicationFailure ? (failure.type ?? 'Unexpected') : 'Unexpected';
}
