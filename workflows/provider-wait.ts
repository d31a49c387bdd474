import { TimeoutFailure } from '@temporalio/workflow';
import { applicationFailure } from './failure-reason.ts';

/** Longest wait for a provider between two attempts, unless it requests a longer one. */
export const MAX_PROVIDER_WAIT_MS = 600_000;

export interface ProviderWait {
  readonly reason: string;
  readonly delayMs: number;
}

/**
 * Returns the wait after a failed model call: the one that the provider requested, else one that is exponential in consecutive
 * failures. Null for a permanent failure.
 */
export function providerWait(error: unknown, failuresInRow: number, firstMs: number): ProviderWait | null {
  const failure = applicationFailure(error);
  if (failure === null) return null;
  const delayMs = Math.min(firstMs * 2 ** Math.min(failuresInRow, 10), MAX_PROVIDER_WAIT_MS);
  if (failure instanceof TimeoutFailure) return { reason: 'ProviderTimeout', delayMs };
  if (failure.nonRetryable === true) return null;
  const requested: unknown = failure.details?.[0];
  return {
    reason: failure.type ?? 'Unexpected',
    delayMs: typeof requested === 'number' ? Math.max(requested, 1) : delayMs,
  };
}
