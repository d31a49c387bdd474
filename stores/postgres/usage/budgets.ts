import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { ModelProvider } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';

export interface CallReservation {
  /** Chosen by the caller, who can release it even if the response to the reservation was lost. */
  readonly id: string;
  readonly tenantId: TenantId;
  readonly userId: string;
  /** Bound of the call: tokens in, and the longest answer. */
  readonly tokens: number;
  readonly provider: ModelProvider;
  /** A call of a provider batch takes no place among those that are made at once. */
  readonly batch: boolean;
  /** Lifetime of a reservation: the tokens of a killed worker become free then. */
  readonly lifeMs: number;
}

export interface ReservationLimits {
  /** For users without a quota of their own. */
  readonly userDailyTokens: number;
  /** Tokens of a user's day at single providers; absent: no limit of its own. */
  readonly providerTokens?: Readonly<Partial<Record<ModelProvider, number>>>;
  readonly concurrency: number;
  readonly userConcurrency: number;
}

export type ReservationOutcome =
  | { readonly kind: 'granted' }
  /** As many calls as may be made at once are on their way. */
  | { readonly kind: 'busy' }
  /** The user's day has not so many tokens left, in total or at the provider. */
  | { readonly kind: 'over_day'; readonly resetsInMs: number }
  /** No day of the user has so many tokens. */
  | { readonly kind: 'over_quota'; readonly quotaTokens: number };

const reserveRow = z.object({
  outcome: z.enum(['granted', 'busy', 'over_day', 'over_quota']),
  quota: z.number(),
  resets_in_ms: z.coerce.number(),
});

/**
 * Reserves tokens of the user's UTC day and one of the concurrent calls: one round trip, exact across all processes. The reservation ends
 * with {@link settleCall} or {@link releaseCall}, or after `lifeMs`.
 */
export async function reserveCall(
  pool: pg.Pool,
  call: CallReservation,
  limits: ReservationLimits,
): Promise<ReservationOutcome> {
  const result = await pool.query({
    name: 'reserve_model_call',
    text: 'SELECT outcome, quota, resets_in_ms FROM reserve_model_call($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [
      call.tenantId,
      call.userId,
      call.id,
      call.tokens,
      call.provider,
      limits.providerTokens?.[call.provider] ?? null,
      call.batch,
      call.lifeMs,
      limits.userDailyTokens,
      limits.concurrency,
      limits.userConcurrency,
    ],
  });
  const [row] = z.array(reserveRow).length(1).parse(result.rows);
  if (row?.outcome === 'granted') return { kind: 'granted' };
  if (row?.outcome === 'over_day') return { kind: 'over_day', resetsInMs: row.resets_in_ms };
  if (row?.outcome === 'over_quota') return { kind: 'over_quota', quotaTokens: row.quota };
  return { kind: 'busy' };
}

export interface SettledDay {
  readonly usedTokens: number;
  readonly quotaTokens: number;
}

const settledRow = z.object({ used: z.number(), quota: z.number().nullable() });

/**
 * Ends reservations, and expired ones of the user, and adds the usage counted by the provider to the user's day, even if the reservations had
 * expired. Not idempotent: the caller's transaction must prevent a repetition.
 */
export async function settleCall(
  transaction: TenantTransaction,
  userId: string,
  reservationIds: readonly string[],
  tokens: number,
  limits: Pick<ReservationLimits, 'userDailyTokens'>,
): Promise<SettledDay> {
  // `>=`: of two calls that settle around midnight the one that began earlier may write later.
  const rows = await transaction.$queryRaw`
    WITH ended AS (DELETE FROM usage_reservations WHERE id = ANY (${reservationIds}::uuid[]) OR (user_id = ${userId}::uuid AND expires_at < now())),
         day AS (SELECT (now() AT TIME ZONE 'UTC')::date AS today)
    UPDATE users u
       SET tokens_used_today = least(2147483647, ${tokens}::bigint + CASE WHEN u.tokens_used_on >= day.today THEN u.tokens_used_today ELSE 0 END)::integer,
           tokens_used_on = greatest(u.tokens_used_on, day.today)
      FROM day WHERE u.id = ${userId}::uuid RETURNING u.tokens_used_today AS used, u.daily_token_quota AS quota`;
  const [row] = z.array(settledRow).parse(rows);
  return { usedTokens: row?.used ?? tokens, quotaTokens: row?.quota ?? limits.userDailyTokens };
}

/** Ends reservations of calls that cost nothing. */
export async function releaseCall(transaction: TenantTransaction, reservationIds: readonly string[]): Promise<void> {
  await transaction.$executeRaw`DELETE FROM usage_reservations WHERE id = ANY (${reservationIds}::uuid[])`;
}

export interface BudgetAlert {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly usedTokens: number;
  readonly quotaTokens: number;
}

/**
 * Records that a user's usage of the day reached the share of the budget. Returns null if it has not, or if an alert was raised today.
 * @param share 0–1
 */
export async function raiseBudgetAlert(
  transaction: TenantTransaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: string },
  day: SettledDay,
  share: number,
): Promise<BudgetAlert | null> {
  if (day.usedTokens < share * day.quotaTokens) return null;
  const details = { used_tokens: day.usedTokens, quota_tokens: day.quotaTokens, share };
  const raised = await transaction.$executeRaw`
    INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
    VALUES (${v7()}::uuid, ${tenantId}::uuid, ${userId}::uuid, 'budget_threshold', (now() AT TIME ZONE 'UTC')::date, ${JSON.stringify(details)}::jsonb)
    ON CONFLICT DO NOTHING`;
  return raised === 1 ? { tenantId, userId, ...day } : null;
}

export interface Budget {
  readonly quotaTokens: number;
  readonly usedTokens: number;
  /** Tokens of calls that are on their way. */
  readonly reservedTokens: number;
  /** RFC 3339. */
  readonly resetsAt: string;
}

const budgetRow = z.object({
  quota: z.number().nullable(),
  used: z.number(),
  reserved: z.coerce.number(),
  resets_at: z.date(),
});

/** The user's UTC day so far; null for a user that is not of this tenant. */
export async function readBudget(
  transaction: TenantTransaction,
  userId: string,
  userDailyTokens: number,
): Promise<Budget | null> {
  const rows = await transaction.$queryRaw`
    SELECT u.daily_token_quota AS quota,
           CASE WHEN u.tokens_used_on >= (now() AT TIME ZONE 'UTC')::date THEN u.tokens_used_today ELSE 0 END AS used,
           (SELECT coalesce(sum(r.tokens), 0) FROM usage_reservations r WHERE r.user_id = u.id AND r.expires_at > now()) AS reserved,
           ((now() AT TIME ZONE 'UTC')::date + 1)::timestamp AT TIME ZONE 'UTC' AS resets_at
      FROM users u WHERE u.id = ${userId}::uuid`;
  const [row] = z.array(budgetRow).parse(rows);
  if (row === undefined) return null;
  return {
    quotaTokens: row.quota ?? userDailyTokens,
    usedTokens: row.used,
    reservedTokens: row.reserved,
    resetsAt: row.resets_at.toISOString(),
  };
}
