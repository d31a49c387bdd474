import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { WAITING_REASONS } from './failure-types.ts';
import type { FailureType, WaitingReason } from './failure-types.ts';

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

/** Longest wait for a provider between two attempts, unless it requests a longer one. */
export const MAX_PROVIDER_WAIT_MS = 600_000;

/**
 * Returns the wait after a failed model call: the one that the provider requested, else one that is exponential in consecutive
 * failures. Null for a permanent failure.
 */
export function providerWait(
  error: unknown,
  failuresInRow: number,
  firstMs: number,
): { readonly reason: WaitingReason; readonly delayMs: number } | null {
  const failure = applicationFailure(error);
  if (failure === null) return null;
  const delayMs = Math.min(firstMs * 2 ** Math.min(failuresInRow, 10), MAX_PROVIDER_WAIT_MS);
  // A provider that does not respond in time is `ProviderUnavailable`: here no worker completed the step.
  if (failure instanceof TimeoutFailure) return { reason: 'StepTimeout', delayMs };
  if (failure.nonRetryable === true) return null;
  const requested: unknown = failure.details?.[0];
  return {
    reason: WAITING_REASONS.find((reason) => reason === failure.type) ?? 'Unexpected',
    delayMs: typeof requested === 'number' ? Math.max(requested, 1) : delayMs,
  };
}

const INSTANCE_FAILURES: readonly FailureType[] = [
  'DatabaseUnavailable',
  'DatabaseConflict',
  'VectorIndexUnavailable',
  'EmbedderUnavailable',
  'TemporalUnavailable',
];

/** Returns true if a step failed for a part of this instance, a killed worker among them, and not for the provider. */
export function isInstanceFailure(error: unknown): boolean {
  const failure = applicationFailure(error);
  if (failure instanceof TimeoutFailure) return failure.timeoutType === 'HEARTBEAT';
  return failure !== null && INSTANCE_FAILURES.some((type) => type === failure.type);
}
