import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import type { TenantTransaction } from '../../../../stores/postgres/connection/database.ts';
import { batchesToHint } from '../../../../stores/postgres/connection/maintenance.ts';
import {
  beginSubmit,
  findBatch,
  finishCall,
  gatherWindows,
  storeReservation,
  markEnded,
  markSending,
  markSent,
  openBatchOf,
  readAssigned,
  readBatch,
  takeReservation,
  touchBatch,
  unclaimedBatches,
} from '../../../../stores/postgres/usage/model-batches.ts';
import { settleSession } from '../../../../stores/postgres/sessions/session-state.ts';
import { countWindows } from '../../../../stores/postgres/sessions/windows.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';

const db = fileDatabase();
let user: TestUser;

beforeEach(async () => {
  user = await db.createUser();
});

function asUser<Result>(work: (transaction: TenantTransaction) => Promise<Result>, who = user): Promise<Result> {
  return db.database.asTenant(who.tenantId, work);
}

/** Creates a session with this many pending windows. */
async function sessionWithWindows(count: number, who = user): Promise<string> {
  const name = randomUUID();
  await captureEvents(db.database.pool, [event(who, name, [promptPart('A question')])]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE external_id = $1', [name]);
  const id = rows[0]?.id ?? '';
  await addWindows(id, 1, count, who);
  return id;
}

async function addWindows(sessionId: string, from: number, count: number, who = user): Promise<void> {
  await db.write(
    `INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason)
     SELECT $1, n, $2, n, n, 10, 'turn' FROM generate_series($3::integer, $4::integer) AS n`,
    [sessionId, who.tenantId, from, from + count - 1],
  );
}

const gather = (sessionId: string, who = user) =>
  asUser((transaction) => gatherWindows(transaction, who.tenantId, sessionId), who);
const counts = (sessionId: string) => asUser((transaction) => countWindows(transaction, sessionId));

describe('gathering', () => {
  test('adds windows of several sessions to one batch; adding them again changes nothing', async () => {
    const [first, second] = [await sessionWithWindows(2), await sessionWithWindows(1)];
    const batch = await gather(first);
    expect(batch).toMatchObject({ n: 1, calls: 2 });
    expect(await gather(second)).toEqual({ ...batch, calls: 3 });
    expect(await gather(first)).toBeNull();
    expect(await counts(first)).toEqual({ pending: 0, batched: 2, summarised: 0, parked: 0 });
    expect(await asUser((transaction) => openBatchOf(transaction, first))).toMatchObject({ id: batch?.id });
  });

  test('adds later windows to the next batch once a batch is being sent', async () => {
    const session = await sessionWithWindows(1);
    const batch = await gather(session);
    await asUser((transaction) => beginSubmit(transaction, user.tenantId, batch?.id ?? ''));
    await addWindows(session, 2, 1);
    expect(await gather(session)).toMatchObject({ n: 2, calls: 1 });
    expect(await asUser((transaction) => readAssigned(transaction, batch?.id ?? ''))).toHaveLength(1);
  });

  test('adds concurrent sessions to one batch', async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => sessionWithWindows(1)));
    const batches = await Promise.all(sessions.map((session) => gather(session)));
    expect(new Set(batches.map((batch) => batch?.id)).size).toBe(1);
    expect(Math.max(...batches.map((batch) => batch?.calls ?? 0))).toBe(5);
  });

  test('creates a batch per tenant', async () => {
    const other = await db.createUser();
    const mine = await gather(await sessionWithWindows(1));
    const otherBatch = await gather(await sessionWithWindows(1, other), other);
    expect(otherBatch?.id).not.toBe(mine?.id);
    expect(await asUser((transaction) => readBatch(transaction, otherBatch?.id ?? ''))).toBeNull();
    expect(await asUser((transaction) => findBatch(transaction, '1'))).toMatchObject({ id: mine?.id });
    expect(await asUser((transaction) => findBatch(transaction, '1; --'))).toBeNull();
  });
});

describe('a call', () => {
  async function assigned() {
    const sessionId = await sessionWithWindows(1);
    const batch = await gather(sessionId);
    const [call] = await asUser((transaction) => readAssigned(transaction, batch?.id ?? ''));
    if (batch === null || call === undefined) throw new Error('nothing was gathered');
    return { sessionId, batchId: batch.id, call };
  }

  test('is finished once, with its window; its session settles only then', async () => {
    const { sessionId, batchId, call } = await assigned();
    await db.write('UPDATE sessions SET consumed_seq = last_seq WHERE id = $1', [sessionId]);
    expect(await asUser((transaction) => settleSession(transaction, sessionId))).toBe(false);
    const finish = () => asUser((transaction) => finishCall(transaction, batchId, call, 'summarised'));
    expect([await finish(), await finish()]).toEqual([true, false]);
    expect(await counts(sessionId)).toMatchObject({ batched: 0, summarised: 1 });
    expect(await asUser((transaction) => openBatchOf(transaction, sessionId))).toBeNull();
    expect(await asUser((transaction) => settleSession(transaction, sessionId))).toBe(true);
  });

  test('that expired returns its window to pending without counting an attempt', async () => {
    const { sessionId, batchId, call } = await assigned();
    await asUser((transaction) => finishCall(transaction, batchId, call, 'requeued'));
    const rows = await db.rows('SELECT state, attempts FROM windows WHERE session_id = $1', [sessionId]);
    expect(rows).toEqual([{ state: 'pending', attempts: 0 }]);
    await asUser((transaction) => beginSubmit(transaction, user.tenantId, batchId));
    expect(await gather(sessionId)).toMatchObject({ n: 2, calls: 1 });
  });

  test('that is added to its gathering batch again has no reservation', async () => {
    const { sessionId, batchId, call } = await assigned();
    await asUser((transaction) =>
      storeReservation(transaction, batchId, call, { reservationId: randomUUID(), forgotten: 0 }),
    );
    await asUser((transaction) => finishCall(transaction, batchId, call, 'requeued'));
    expect(await gather(sessionId)).toMatchObject({ id: batchId, calls: 1 });
    expect(await asUser((transaction) => readAssigned(transaction, batchId))).toMatchObject([{ reservationId: null }]);
  });

  test('is recorded once, and its reservation ends with it', async () => {
    const { batchId, call } = await assigned();
    const reservationId = randomUUID();
    await db.write(
      "INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, provider, batch, expires_at) VALUES ($1, $2, $3, 5, 'anthropic', true, now() + interval '1 day')",
      [reservationId, user.tenantId, user.userId],
    );
    const reserved = { ...call, reservationId };
    await asUser((transaction) => storeReservation(transaction, batchId, call, { reservationId, forgotten: 0 }));
    const other = await assigned();
    const takes = [reserved, reserved, { ...call, reservationId: null }, { ...other.call, reservationId }];
    const taken = [];
    for (const each of takes) taken.push(await asUser((transaction) => takeReservation(transaction, batchId, each)));
    expect(taken).toEqual([true, false, false, false]);

    await asUser((transaction) => storeReservation(transaction, batchId, call, { reservationId, forgotten: 0 }));
    await asUser((transaction) => finishCall(transaction, batchId, call, 'requeued'));
    const rows = await db.rows('SELECT 1 FROM usage_reservations WHERE id = $1', [reservationId]);
    expect(rows).toEqual([]);
  });

  test('of an earlier batch does not change a window that is in a later one', async () => {
    const { sessionId, batchId, call } = await assigned();
    await asUser((transaction) => beginSubmit(transaction, user.tenantId, batchId));
    // After a forget, the window was cut again and added to a later batch.
    await db.write("UPDATE windows SET state = 'pending' WHERE session_id = $1", [sessionId]);
    const later = await gather(sessionId);
    expect(await asUser((transaction) => finishCall(transaction, batchId, call, 'summarised'))).toBe(false);
    expect(await counts(sessionId)).toMatchObject({ batched: 1, summarised: 0 });
    expect(await asUser((transaction) => finishCall(transaction, later?.id ?? '', call, 'summarised'))).toBe(true);
    expect(await counts(sessionId)).toMatchObject({ batched: 0, summarised: 1 });
  });

  test('that finishes after the learning step of its session resets that step', async () => {
    const { sessionId, batchId, call } = await assigned();
    await db.write('UPDATE sessions SET learned_seq = 1 WHERE id = $1', [sessionId]);
    await asUser((transaction) => finishCall(transaction, batchId, call, 'summarised'));
    const rows = await db.rows('SELECT learned_seq FROM sessions WHERE id = $1', [sessionId]);
    expect(rows).toEqual([{ learned_seq: 0 }]);
  });

  test('that is parked stores the error; a window forgotten meanwhile is not written', async () => {
    const parked = await assigned();
    await asUser((transaction) => finishCall(transaction, parked.batchId, parked.call, 'parked', 'ModelRefused: no'));
    const rows = await db.rows('SELECT state, attempts, error FROM windows WHERE session_id = $1', [parked.sessionId]);
    expect(rows).toEqual([{ state: 'parked', attempts: 1, error: 'ModelRefused: no' }]);

    const recut = await assigned();
    await db.write("UPDATE windows SET state = 'pending' WHERE session_id = $1", [recut.sessionId]);
    expect(await asUser((transaction) => finishCall(transaction, recut.batchId, recut.call, 'summarised'))).toBe(false);
    expect(await counts(recut.sessionId)).toMatchObject({ pending: 1, summarised: 0 });
  });
});

describe('batches at the provider', () => {
  test('claimed by another tenant are not treated as lost', async () => {
    const other = await db.createUser();
    const otherBatch = await gather(await sessionWithWindows(1, other), other);
    await asUser(async (transaction) => {
      await markSending(transaction, otherBatch?.id ?? '', 1);
      await markSent(transaction, otherBatch?.id ?? '', 'msgbatch_other', 1);
    }, other);
    expect(await asUser((transaction) => unclaimedBatches(transaction, ['msgbatch_other', 'msgbatch_lost']))).toEqual([
      'msgbatch_lost',
    ]);
  });

  test('without a running workflow, or gathering for too long, are found by the sweep', async () => {
    const batch = await gather(await sessionWithWindows(1));
    const id = batch?.id ?? '';
    const age = (by: string) =>
      db.write('UPDATE model_batches SET updated_at = now() - $2::interval WHERE id = $1', [id, by]);
    const found = async () => (await batchesToHint(db.maintenance, 100)).filter((each) => each.id === id);
    await age('2 hours');
    expect(await found()).toEqual([]);
    await age('26 hours');
    expect(await found()).toEqual([{ tenantId: user.tenantId, id, n: 1, full: true }]);
    await asUser((transaction) => beginSubmit(transaction, user.tenantId, id));
    expect(await found()).toEqual([]);
    await age('50 minutes');
    expect(await found()).toMatchObject([{ full: false }]);
    await asUser((transaction) => touchBatch(transaction, id));
    expect(await found()).toEqual([]);
    await age('50 minutes');
    await asUser((transaction) => markEnded(transaction, id));
    await age('50 minutes');
    expect(await found()).toEqual([]);
  });
});
