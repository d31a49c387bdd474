import { v7 } from 'uuid';
import type { TenantId } from '../../domain/ids.ts';
import type { ModelUsage } from '../../domain/ports/model.ts';
import type { TenantTransaction } from './database.ts';

export interface UsageOwner {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly sessionId: string;
  readonly operation: 'summarise_window' | 'summarise_session' | 'extract_learnings';
}

/** Books model calls, those that failed included. */
export async function bookUsage(
  transaction: TenantTransaction,
  owner: UsageOwner,
  calls: readonly ModelUsage[],
): Promise<void> {
  if (calls.length === 0) return;
  await transaction.usageEntry.createMany({ data: calls.map((call) => ({ id: v7(), ...owner, ...call })) });
}

/** Tokens and dollars of several calls together. */
export function sumUsage(calls: readonly ModelUsage[]): {
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly costUsd: number;
} {
  return {
    tokensIn: calls.reduce((sum, call) => sum + call.tokensIn, 0),
    tokensOut: calls.reduce((sum, call) => sum + call.tokensOut, 0),
    costUsd: calls.reduce((sum, call) => sum + call.costUsd, 0),
  };
}
