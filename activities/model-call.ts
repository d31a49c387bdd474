import { ModelError } from '../domain/ports/model.ts';
import type { ModelUsage } from '../domain/ports/model.ts';
import { asId } from '../domain/ids.ts';
import type { Database } from '../stores/postgres/database.ts';
import { bookUsage, sumUsage } from '../stores/postgres/usage-ledger.ts';
import type { UsageOwner } from '../stores/postgres/usage-ledger.ts';

/** What a step cost, as workflows count it. */
export interface CallCost {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export function costOf(usage: readonly ModelUsage[]): CallCost {
  const { tokensIn, tokensOut, costUsd } = sumUsage(usage);
  return { calls: usage.length, tokens: tokensIn + tokensOut, usd: costUsd };
}

/** Runs a model call; where it fails, books what it cost all the same and throws on. */
export async function bookingFailures<Result>(
  database: Database,
  owner: UsageOwner,
  call: () => Promise<Result>,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ModelError && error.usage.length > 0) {
      await database.asTenant(asId(owner.tenantId), (transaction) => bookUsage(transaction, owner, error.usage));
    }
    throw error;
  }
}
