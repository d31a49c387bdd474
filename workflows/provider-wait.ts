import { TimeoutFailure } from '@temporalio/workflow';
import { applicationFailure } from './failure-reason.ts';

/** Longest wait for a provider between two attempts, unless it asks for a longer one. */
export const MAX_PROVIDER_WAIT_MS = 600_000;

export interface ProviderWait {
  readonly reason: string;
  readonly delayMs: number;
}

/**
 * Whether a failed model call is to be waited out, and for how long: what the provider asked for, else a wait that doubles with
 * every failure in a row. Null for what another attempt cannot mend.
 */
export function providerWait(error: unknown, failuresInRow: number, firstMs: number): ProviderWait | null {
  const failure = applicationFailure(error);
  if (failure === null) return null;
  const delayMs = Math.min(firstMs * 2 ** Math.min(failuresInRow, 10), MAX_PROVIDER_WAIT_MS);
  if (failure instanceof TimeoutFailure) return { reason: 'ProviderTimeout', delayMs };
  if (failure.nonRetryable === true) return null;
  const asked: unknown = failure.details?.[0];
  return { reason: failure.type ?? 'Unexpected', delayMs: typeof asked === 'number' ? Math.max(asked, 1) : delayMs };
}
