import { beforeEach, describe, expect, test } from 'vitest';
import {
  raiseBudgetAlert,
  readBudget,
  releaseCall,
  reserveCall,
  settleCall,
} from '../../../../stores/postgres/usage/budgets.ts';
import type {
  CallReservation,
  ReservationLimits,
  ReservationOutcome,
} from '../../../../stores/postgres/usage/budgets.ts';
import { newId } from '../../../../domain/ids.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';

const LIMITS = { userDailyTokens: 10_000, concurrency: 10, userConcurrency: 3 };
const DAY_MS = 86_400_000;
const db = fileDatabase();
let user: TestUser;

beforeEach(async () => {
  await db.write('DELETE FROM usage_reservations');
  user = await db.createUser();
});

function reserve(
  change: Partial<CallReservation> = {},
  whose = user,
  limits: ReservationLimits = LIMITS,
): Promise<ReservationOutcome> {
  const { tenantId, userId } = whose;
  const call = {
    id: newId(),
    tenantId,
    userId,
    tokens: 100,
    provider: 'anthropic' as const,
    batch: false,
    lifeMs: 60_000,
    ...change,
  };
  return reserveCall(db.database.pool, call, limits);
}

async function granted(change: Partial<CallReservation> = {}, whose = user): Promise<string> {
  const id = newId();
  const outcome = await reserve({ id, ...change }, whose);
  if (outcome.kind !== 'granted') throw new Error(outcome.kind);
  return id;
}

function settle(ids: readonly string[], tokens: number, whose = user) {
  return db.database.asTenant(whose.tenantId, (transaction) =>
    settleCall(transaction, whose.userId, ids, tokens, LIMITS),
  );
}

function budget(whose = user) {
  return db.database.asTenant(whose.tenantId, (transaction) =>
    readBudget(transaction, whose.userId, LIMITS.userDailyTokens),
  );
}

function quota(tokens: number | null) {
  return db.write('UPDATE users SET daily_token_quota = $2 WHERE id = $1', [user.userId, tokens]);
}

function kinds(outcomes: readonly ReservationOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe('calls at once', () => {
  test('of one user are limited to three, however many are requested together', async () => {
    expect(kinds(await Promise.all(Array.from({ length: 20 }, () => reserve())))).toEqual({ granted: 3, busy: 17 });
  });

  test('are limited to ten across all tenants', async () => {
    const others = await Promise.all(Array.from({ length: 6 }, () => db.createUser()));
    const outcomes = await Promise.all(others.flatMap((other) => [0, 1, 2].map(() => reserve({}, other))));
    expect(kinds(outcomes)).toEqual({ granted: 10, busy: 8 });
  });

  test('become available when one is settled, released or expires', async () => {
    const ids = [await granted(), await granted(), await granted()];
    expect((await reserve()).kind).toBe('busy');
    await settle(ids.slice(0, 1), 1);
    await granted();
    expect((await reserve()).kind).toBe('busy');
    await db.database.asTenant(user.tenantId, (transaction) => releaseCall(transaction, ids.slice(1, 2)));
    await granted();
    expect((await reserve()).kind).toBe('busy');
    await db.write("UPDATE usage_reservations SET expires_at = now() - interval '1 ms' WHERE id = $1", [ids[2]]);
    await granted();
  });

  test('of a batch do not count towards the limit, but their tokens do', async () => {
    for (let n = 0; n < 12; n += 1) await granted({ batch: true, lifeMs: 2 * DAY_MS });
    await granted();
    expect((await budget())?.reservedTokens).toBe(1_300);
    expect((await reserve({ tokens: 8_701 })).kind).toBe('over_day');
    expect((await reserve({ tokens: 8_700 })).kind).toBe('granted');
  });
});

describe("a user's day", () => {
  test('is exceeded if used, reserved and requested tokens together exceed the quota', async () => {
    await settle([], 5_000);
    await granted({ tokens: 4_000 });
    const over = await reserve({ tokens: 1_001 });
    if (over.kind !== 'over_day') throw new Error(over.kind);
    const midnight = new Date().setUTCHours(24, 0, 0, 0);
    expect(Math.abs(over.resetsInMs - (midnight - Date.now()))).toBeLessThan(10_000);
    expect((await reserve({ tokens: 1_000 })).kind).toBe('granted');
  });

  test('reports a request above the quota differently from one above the remaining tokens', async () => {
    await settle([], 5_000);
    expect(await reserve({ tokens: 10_001 })).toEqual({ kind: 'over_quota', quotaTokens: 10_000 });
    expect((await reserve({ tokens: 10_000 })).kind).toBe('over_day');
    await quota(500);
    expect(await reserve({ tokens: 501, batch: true })).toEqual({ kind: 'over_quota', quotaTokens: 500 });
  });

  test('does not count expired reservations', async () => {
    await granted({ tokens: 9_000 });
    await granted({ tokens: 1_000, batch: true });
    expect((await reserve({ tokens: 1 })).kind).toBe('over_day');
    await db.write("UPDATE usage_reservations SET expires_at = now() - interval '1 ms'");
    expect(await budget()).toMatchObject({ usedTokens: 0, reservedTokens: 0 });
    expect((await reserve({ tokens: 10_000 })).kind).toBe('granted');
  });

  test('grants the last tokens to only one of two concurrent requests', async () => {
    const both = await Promise.all([reserve({ tokens: 6_000 }), reserve({ tokens: 6_000 })]);
    expect(kinds(both)).toEqual({ granted: 1, over_day: 1 });
  });

  test.each([
    ['the instance’s setting', null, 10_000],
    ['an own quota', 500, 500],
    ['a larger one', 20_000, 20_000],
    ['nothing at all', 0, 0],
  ])('ends at %s', async (_, own, tokens) => {
    await quota(own);
    expect((await reserve({ tokens: tokens + 1 })).kind).not.toBe('granted');
    expect((await reserve({ tokens })).kind).toBe('granted');
    expect((await budget())?.quotaTokens).toBe(tokens);
    await settle([], 1);
    expect((await reserve({ tokens })).kind).not.toBe('granted');
  });

  test('adds the tokens that a call used, not those reserved for it', async () => {
    const id = await granted({ tokens: 4_000 });
    expect(await settle([id], 1_234)).toEqual({ usedTokens: 1_234, quotaTokens: 10_000 });
    expect(await budget()).toMatchObject({ usedTokens: 1_234, reservedTokens: 0 });
  });

  test('starts at zero on the next one', async () => {
    await settle([], 9_999);
    await db.write('UPDATE users SET tokens_used_on = tokens_used_on - 1 WHERE id = $1', [user.userId]);
    expect(await budget()).toMatchObject({ usedTokens: 0 });
    expect((await reserve({ tokens: 10_000 })).kind).toBe('granted');
    expect(await settle([], 7)).toMatchObject({ usedTokens: 7 });
  });

  test('started by another call is not reset by one that settles late', async () => {
    await settle([], 10);
    await db.write('UPDATE users SET tokens_used_on = tokens_used_on + 1 WHERE id = $1', [user.userId]);
    expect(await settle([], 5)).toMatchObject({ usedTokens: 15 });
    const rows = await db.rows<{ ahead: number }>(
      "SELECT tokens_used_on - (now() AT TIME ZONE 'UTC')::date AS ahead FROM users WHERE id = $1",
      [user.userId],
    );
    expect(rows).toEqual([{ ahead: 1 }]);
  });

  test('counts calls that settle concurrently', async () => {
    await Promise.all(Array.from({ length: 20 }, () => settle([], 10)));
    expect((await budget())?.usedTokens).toBe(200);
  });

  test('limits used tokens to the maximum of an integer', async () => {
    await settle([], 2_000_000_000);
    expect((await settle([], 2_000_000_000)).usedTokens).toBe(2_147_483_647);
    await quota(2_147_483_647);
    expect((await reserve({ tokens: 2_000_000_000 })).kind).toBe('over_day');
  });

  test('ends by midnight in UTC', async () => {
    const resets = new Date((await budget())?.resetsAt ?? 0);
    expect(resets.getTime()).toBe(new Date().setUTCHours(24, 0, 0, 0));
  });
});

describe('the requesting user', () => {
  test('must belong to the given tenant', async () => {
    const other = await db.createUser();
    await expect(reserve({ tenantId: other.tenantId })).rejects.toMatchObject({ code: 'RC002' });
    expect(
      await db.database.asTenant(other.tenantId, (transaction) => readBudget(transaction, user.userId, 1)),
    ).toBeNull();
  });

  test("does not end another's reservations", async () => {
    const id = await granted();
    const other = await db.createUser();
    await settle([id], 5, other);
    expect(await budget()).toMatchObject({ usedTokens: 0, reservedTokens: 100 });
  });
});

describe('the alert', () => {
  const raise = (usedTokens: number) =>
    db.database.asTenant(user.tenantId, (transaction) =>
      raiseBudgetAlert(transaction, user, { usedTokens, quotaTokens: 10_000 }, 0.8),
    );

  test('is raised once a day, when the share is reached', async () => {
    expect(await raise(7_999)).toBeNull();
    expect(await raise(8_000)).toEqual({
      tenantId: user.tenantId,
      userId: user.userId,
      usedTokens: 8_000,
      quotaTokens: 10_000,
    });
    expect(await raise(9_000)).toBeNull();
    await db.write('UPDATE system_alerts SET day = day - 1 WHERE user_id = $1', [user.userId]);
    expect(await raise(9_000)).not.toBeNull();
    const rows = await db.rows('SELECT type, details FROM system_alerts WHERE user_id = $1 ORDER BY id', [user.userId]);
    expect(rows).toMatchObject([{ type: 'budget_threshold', details: { used_tokens: 8_000, share: 0.8 } }, {}]);
  });
});
