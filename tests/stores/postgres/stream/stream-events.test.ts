import { expect, test } from 'vitest';
import { STREAM_EVENT_TYPES } from '../../../../domain/stream.ts';
import {
  numberStreamEvents,
  pruneStreamEvents,
  readStreamEvents,
} from '../../../../stores/postgres/stream/stream-events.ts';
import { eraseSession } from '../../../../stores/postgres/erasure/erase-rows.ts';
import { connected } from '../../../../stores/postgres/connection/connected.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { seedTenant } from '../support/seed-tenant.ts';

const db = fileDatabase();
const EVERYTHING = { types: null, projectId: null, sessionId: null };

const viewOf = ({ tenantId }: TestUser) => ({ tenantId, viewerId: undefined, bounds: null });
const readAll = async (user: TestUser) => {
  const { last } = await numberStreamEvents(db.database.pool);
  const range = { after: 0, upTo: last, filter: EVERYTHING, limit: 1_000 };
  return readStreamEvents(db.database, viewOf(user), range);
};

/** The newest event, after a change. */
async function after(user: TestUser, sql: string) {
  await db.write(sql, [user.tenantId]);
  const { type, isPrivate, userId, data } = (await readAll(user)).at(-1) ?? {};
  return { type, isPrivate, isOwn: userId === user.userId, data };
}

test('every type of event is written with its change, and no other change writes one', async () => {
  const user = await seedTenant(db);
  const events = await readAll(user);
  expect(events.map(({ type }) => type)).toEqual([
    'session.created',
    'observation.added',
    'summary.generated',
    'learning.extracted',
    'system.alert',
  ]);
  expect(events[1]).toMatchObject({
    data: { first_seq: 1, last_seq: 3, prompts: 1, observations: 1 },
    isPrivate: true,
  });
  const shared = { isPrivate: false, isOwn: true };
  expect(await after(user, "UPDATE sessions SET phase = 'summarising' WHERE tenant_id = $1")).toEqual({
    ...shared,
    type: 'session.updated',
    data: { status: 'active', phase: 'summarising', capture: true },
  });
  const done = (kind: string) => ({ type: 'task.completed', isPrivate: true, data: { kind, state: 'completed' } });
  for (const [table, kind, isOwn] of [
    ['imports', 'import', true],
    ['exports', 'export', true],
    ['consistency_checks', 'consistency', false],
    ['retention_runs', 'retention', false],
  ] as const)
    expect(await after(user, `UPDATE ${table} SET state = 'completed' WHERE tenant_id = $1`)).toEqual({
      ...done(kind),
      isOwn,
    });
  expect(await after(user, 'UPDATE embedding_counts SET indexed_at = now() WHERE tenant_id = $1')).toEqual({
    type: 'search.index_updated',
    isPrivate: false,
    isOwn: false,
    data: {},
  });
  const known = await readAll(user);
  expect(new Set(known.map(({ type }) => type))).toEqual(new Set(STREAM_EVENT_TYPES));
  for (const same of [
    'UPDATE sessions SET last_event_at = now(), updated_at = now(), hinted_at = now() WHERE tenant_id = $1',
    "UPDATE imports SET error = 'E' WHERE tenant_id = $1",
    'UPDATE embedding_counts SET texts = 7 WHERE tenant_id = $1',
  ])
    await db.write(same, [user.tenantId]);
  expect(await readAll(user)).toEqual(known);
});

test('concurrent numbering gives each event one position, in the order of a session’s changes', async () => {
  const user = await seedTenant(db);
  const [{ id: session } = { id: '' }] = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [
    user.userId,
  ]);
  const before = (await readAll(user)).length;
  const change = (n: number) => db.write('UPDATE sessions SET title = $2 WHERE id = $1', [session, `title ${n}`]);
  for (let n = 0; n < 40; n += 1)
    await Promise.all([change(n), numberStreamEvents(db.database.pool, 1), numberStreamEvents(db.database.pool)]);
  const positions = (await readAll(user)).map(({ position }) => position);
  expect(positions.length).toBe(before + 40);
  expect(new Set(positions).size).toBe(positions.length);
  const ids = await db.rows('SELECT id FROM stream_events WHERE session_id = $1 ORDER BY position', [session]);
  expect(ids).toEqual(await db.rows('SELECT id FROM stream_events WHERE session_id = $1 ORDER BY id', [session]));
});

test('deletes events after a day, and records after which position none is missing', async () => {
  const user = await seedTenant(db);
  const events = await readAll(user);
  const old = `UPDATE stream_events SET id = (overlay(uuidv7_floor(now() - $2::interval)::text placing right(id::text, 10) from 27))::uuid WHERE tenant_id = $1`;
  await db.write(`${old} AND position <= $3`, [user.tenantId, '25 hours', events[1]?.position]);
  await db.write(`${old} AND position > $3`, [user.tenantId, '23 hours', events[1]?.position]);
  expect(await pruneStreamEvents(db.maintenance, 1)).toBe(2);
  expect(await readAll(user)).toEqual(events.slice(2));
  const clock = await numberStreamEvents(db.database.pool);
  expect(clock.keptAfter).toBe(events[1]?.position);
  // This one had no number yet: a reader of everything until now misses it.
  await db.write('UPDATE sessions SET title = $2 WHERE tenant_id = $1', [user.tenantId, 'unread']);
  await db.write(`${old} AND position IS NULL`, [user.tenantId, '25 hours']);
  expect(await pruneStreamEvents(db.maintenance)).toBe(1);
  expect((await numberStreamEvents(db.database.pool)).keptAfter).toBeGreaterThan(clock.last);
});

test('of an erased session are deleted by an index: others are not read', async () => {
  const user = await seedTenant(db);
  const session = await db.text('SELECT id AS value FROM sessions WHERE user_id = $1', [user.userId]);
  await db.superuser.query(
    `INSERT INTO stream_events (tenant_id, type, user_id, private, session_id)
     SELECT $1, 'session.updated', $2, false, uuidv7() FROM generate_series(1, 20000)`,
    [user.tenantId, user.userId],
  );
  await db.owner.query('VACUUM ANALYZE stream_events');
  const rowsRead = () =>
    db.value<number>(
      "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS value FROM pg_stat_user_tables WHERE relname = 'stream_events'",
    );
  const before = await rowsRead();
  expect(await db.count('stream_events WHERE session_id = $1', [session])).toBeGreaterThan(0);
  await db.database.asTenant(user.tenantId, async (transaction) => {
    await eraseSession(transaction, session);
    await transaction.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
  });
  expect(((await rowsRead()) ?? 0) - (before ?? 0)).toBeLessThan(500);
  expect(await db.count('stream_events WHERE session_id = $1', [session])).toBe(0);
});

test('notifies of events only while streams are read', async () => {
  const user = await seedTenant(db);
  const change = (n: number) =>
    db.write('UPDATE sessions SET title = $2 WHERE tenant_id = $1', [user.tenantId, `${n}`]);
  await numberStreamEvents(db.database.pool);
  await connected({ connectionString: db.url('app') }, async (client) => {
    let notified = 0;
    client.on('notification', () => (notified += 1));
    await client.query('LISTEN stream_appended');
    await db.write("UPDATE stream_clock SET read_at = now() - interval '11 seconds'");
    await change(1);
    await numberStreamEvents(db.database.pool);
    // Notifications arrive in the order of commits.
    await change(2);
    await expect.poll(() => notified).toBe(1);
  });
});

test('the application reads events of its view alone, and writes none', async () => {
  const user = await seedTenant(db);
  const insert = `INSERT INTO stream_events (tenant_id, type, user_id, private) VALUES ('${user.tenantId}', 'session.updated', '${user.userId}', false)`;
  for (const sql of [insert, "UPDATE stream_events SET type = 'system.alert'", 'SELECT * FROM stream_clock'])
    await expect(db.database.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
});
