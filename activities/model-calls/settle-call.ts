import { setTimeout as pause } from 'node:timers/promises';
import { v7 } from 'uuid';
import { asId } from '../../domain/ids.ts';
import type { ModelLimits } from '../../domain/costs/limits.ts';
import type { ModelUsage } from '../../domain/ports/model.ts';
import { raiseBudgetAlert, settleCall } from '../../stores/postgres/usage/budgets.ts';
import type { BudgetAlert } from '../../stores/postgres/usage/budgets.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { bookUsage, isBooked, sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { isPassing } from '../failures.ts';

export interface SettleDependencies {
  readonly database: Database;
  readonly limits: ModelLimits;
  /** Told once a day and user, when the day comes to the share of the settings. */
  readonly onBudgetAlert?: (alert: BudgetAlert) => void;
}

/** Pauses before the second attempt and those after it. */
const PAUSES_MS = [250, 1_000, 3_000, 8_000] as const;
/** No attempt begins later than this. */
const LONGEST_MS = 30_000;

/** Does it again where it failed for what passes by itself. @throws what the last attempt failed with */
async function insist<Result>(attempt: (isFirst: boolean) => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + LONGEST_MS;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt(failures === 0);
    } catch (error) {
      const pauseMs = PAUSES_MS[failures];
      if (pauseMs === undefined || !isPassing(error) || performance.now() + pauseMs > deadline) throw error;
      await pause(pauseMs);
    }
  }
}

/**
 * Ends the reservation and books what the call cost, with what is to be written beside it, in one transaction. Where the database is away
 * for a moment, or two transactions met, it is done again for half a minute: else the answer is lost and paid for twice. No signal ends
 * that, because what was paid must be booked.
 */
export async function settlePaid(
  { database, limits, onBudgetAlert }: SettleDependencies,
  owner: UsageOwner,
  reservation: string,
  usage: readonly ModelUsage[],
  beside: (transaction: TenantTransaction) => Promise<void>,
): Promise<void> {
  const { inputTokens, outputTokens } = sumUsage(usage);
  const ids = usage.map(() => v7());
  const alert = await insist((isFirst) =>
    database.asTenant(asId(owner.tenantId), async (transaction) => {
      // An attempt whose commit was not heard of may have done it.
      if (!isFirst && (await isBooked(transaction, ids))) return null;
      await bookUsage(transaction, owner, usage, false, ids);
      await beside(transaction);
      // Last, because it locks the user's row, which other calls of the user wait for.
      const day = await settleCall(transaction, owner.userId, [reservation], inputTokens + outputTokens, limits);
      return raiseBudgetAlert(transaction, owner, day, limits.alertShare);
    }),
  );
  if (alert !== null) onBudgetAlert?.(alert);
}
