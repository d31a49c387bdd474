import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { callModel } from '../../activities/model-call.ts';
import type { PreparedCall } from '../../domain/ports/model.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { fileDatabase } from '../setup/database.ts';
import { event, promptPart } from '../stores/postgres/support/captures.ts';
import { createPaidModel, LIMITS, portOf } from './support/paid-model.ts';
import type { PaidModel } from './support/paid-model.ts';

const db = fileDatabase();
let owner: UsageOwner;
let model: PaidModel;

beforeAll(async () => {
  // Sequences are not rolled back: they count the attempts of transactions that fail.
  await db.owner.query('CREATE SEQUENCE attempts; GRANT USAGE ON SEQUENCE attempts TO recollect_app');
});
beforeEach(async () => {
  model = createPaidModel();
  const user = await db.createUser();
  await captureEvents(db.database.pool, [event(user, randomUUID(), [promptPart('A question')])]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE tenant_id = $1', [user.tenantId]);
  owner = {
    tenantId: user.tenantId,
    userId: user.userId,
    sessionId: rows[0]?.id ?? '',
    operation: 'summarise_window',
  };
  await db.owner.query(
    'DROP TRIGGER IF EXISTS fails ON usage_ledger; DROP TRIGGER IF EXISTS fails ON model_response_cache',
  );
  await db.owner.query('ALTER SEQUENCE attempts RESTART');
});

/** Has the first `times` writes to the table fail by this statement. */
async function failing(table: string, times: number, statement: string): Promise<void> {
  await db.owner.query(
    `CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN IF nextval('attempts') <= ${times} THEN ${statement}; END IF; RETURN NEW; END $$`,
  );
  await db.owner.query(
    `CREATE TRIGGER fails BEFORE INSERT ON ${table} FOR EACH ROW WHEN (NEW.tenant_id = '${owner.tenantId}') EXECUTE FUNCTION fails()`,
  );
}

async function call(prepared: PreparedCall<string>, signal = new AbortController().signal, database = db.database) {
  const dependencies = { database, limits: LIMITS, fallback: null };
  const task = { prepare: () => Promise.resolve(prepared) };
  const { output, fromCache } = await callModel(dependencies, owner, [portOf('anthropic')], task, signal);
  return { output, fromCache };
}

async function state() {
  const rows = await db.rows(
    `SELECT tokens_used_today AS used, (SELECT count(*)::integer FROM usage_ledger l WHERE l.user_id = u.id AND NOT l.cache_hit) AS booked,
            (SELECT count(*)::integer FROM usage_reservations r WHERE r.user_id = u.id) AS reserved FROM users u WHERE id = $1`,
    [owner.userId],
  );
  return rows[0];
}

const BOOKED_ONCE = { used: 750, booked: 1, reserved: 0 };

test.each([
  ['two transactions met', 'usage_ledger', "RAISE EXCEPTION 'x' USING ERRCODE = '40P01'"],
  ['two transactions met in a raw statement', 'model_response_cache', "RAISE EXCEPTION 'x' USING ERRCODE = '40P01'"],
  ['the server ended the connection', 'usage_ledger', 'PERFORM pg_terminate_backend(pg_backend_pid())'],
  ['the server ended it in a raw statement', 'model_response_cache', 'PERFORM pg_terminate_backend(pg_backend_pid())'],
])('records, caches and pays a response once if %s', async (_, table, statement) => {
  await failing(table, 2, statement);
  expect(await call(model.prepare('q'))).toEqual({ output: 'q', fromCache: false });
  expect(await state()).toEqual(BOOKED_ONCE);
  expect(await call(model.prepare('q'))).toMatchObject({ fromCache: true });
  expect(model.requests).toHaveLength(1);
});

test('records paid usage of a cancelled step', async () => {
  const cancel = new AbortController();
  await failing('usage_ledger', 1, "RAISE EXCEPTION 'x' USING ERRCODE = '40001'");
  const prepared = model.prepare('q');
  const answered: PreparedCall<string> = {
    ...prepared,
    send: async (signal) => {
      const answer = await prepared.send(signal);
      cancel.abort(new Error('stop'));
      return answer;
    },
  };
  expect(await call(answered, cancel.signal)).toMatchObject({ output: 'q' });
  expect(await state()).toEqual(BOOKED_ONCE);
});

test('does not record usage again after an unconfirmed commit', async () => {
  let heard = 0;
  const deaf: Database = {
    ...db.database,
    asTenant: async (tenantId, work) => {
      const result = await db.database.asTenant(tenantId, work);
      const rows = await db.rows('SELECT FROM usage_ledger WHERE user_id = $1', [owner.userId]);
      if (rows.length > 0 && (heard += 1) === 1)
        throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
      return result;
    },
  };
  expect(await call(model.prepare('q'), undefined, deaf)).toMatchObject({ output: 'q' });
  expect(heard).toBe(2);
  expect(await state()).toEqual(BOOKED_ONCE);
});

test('does not retry a permanent error', async () => {
  await failing('usage_ledger', 1_000, "RAISE EXCEPTION 'x' USING ERRCODE = '22P02'");
  await expect(call(model.prepare('q'))).rejects.toThrow('Invalid input value');
  const rows = await db.rows('SELECT last_value::integer AS n FROM attempts');
  expect(rows).toEqual([{ n: 1 }]);
  expect(await state()).toEqual({ used: 0, booked: 0, reserved: 0 });
});

test('records the usage of a response that cannot be cached, and releases its reservation', async () => {
  await failing('model_response_cache', 1_000, "RAISE EXCEPTION 'x' USING ERRCODE = '22P05'");
  await expect(call(model.prepare('q'))).rejects.toThrow('22P05');
  expect(await state()).toEqual(BOOKED_ONCE);
});

test('releases a reservation whose confirmation was lost', async () => {
  const pool = new Proxy(db.database.pool, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'query' || typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        await Reflect.apply(value, target, given);
        throw Object.assign(new Error('connection lost'), { code: 'ECONNRESET' });
      };
    },
  });
  await expect(call(model.prepare('q'), undefined, { ...db.database, pool })).rejects.toThrow('connection lost');
  expect(model.requests).toEqual([]);
  expect(await state()).toEqual({ used: 0, booked: 0, reserved: 0 });
});

test('releases a slot granted during cancellation without a request', async () => {
  const cancel = new AbortController();
  const prepared = model.prepare('q');
  const unheeding: PreparedCall<string> = { ...prepared, send: () => prepared.send(new AbortController().signal) };
  const pool = new Proxy(db.database.pool, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'query' || typeof value !== 'function') return value;
      return async (...given: unknown[]) => {
        const granted: unknown = await Reflect.apply(value, target, given);
        cancel.abort(new Error('stop'));
        return granted;
      };
    },
  });
  await expect(call(unheeding, cancel.signal, { ...db.database, pool })).rejects.toThrow('stop');
  expect(model.requests).toEqual([]);
  expect(await state()).toEqual({ used: 0, booked: 0, reserved: 0 });
});
