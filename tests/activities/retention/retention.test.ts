import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createRetentionActivities } from '../../../activities/retention/create-retention-activities.ts';
import { stepGroup } from '../../../activities/retention/step.ts';
import { fullValueKey } from '../../../domain/ports/object-store.ts';
import { addHold, releaseHold } from '../../../stores/postgres/retention/legal-holds.ts';
import { readCatalog } from '../../../activities/backup/backed-up-tables.ts';
import { tenantTables } from '../../../stores/postgres/exports/table-catalog.ts';
import { approveRun } from '../../../stores/postgres/retention/retention-runs.ts';
import { rule, fileRetention, sum } from './support/kit.ts';
import { daysAgo, makeMonth, makeOldSession } from './support/old-rows.ts';

const { kit, user, stranger } = fileRetention();

describe('a dry run', () => {
  test('counts exactly what the run deletes, by rule, class, project and month', async () => {
    const project = await kit.db.createProject(user);
    const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 4 });
    const ofProject = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 2, projectId: project });
    const secret = await makeOldSession(kit.db, user, {
      at: daysAgo(40),
      rows: 3,
      projectId: project,
      dataClass: 'restricted',
    });
    const young = await makeOldSession(kit.db, user, { at: daysAgo(10), rows: 2 });
    const live = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 2, status: 'active' });
    const foreign = await makeOldSession(kit.db, stranger, { at: daysAgo(100), rows: 2 });
    await kit.setPolicies([
      rule('observation', 90),
      rule('observation', 90, { projectId: project, action: 'keep' }),
      rule('observation', 30, { projectId: project, dataClass: 'restricted' }),
      rule('prompt', 90, { dataClass: 'internal' }),
      rule('usage', 90),
      rule('summary', 50, { projectId: project }),
    ]);
    const { planned, done } = await kit.dryThenRun();
    expect(done).toEqual(planned);
    expect(done.map(({ resource, rows, projectId, dataClass }) => ({ resource, rows, projectId, dataClass }))).toEqual(
      expect.arrayContaining([
        { resource: 'observation', rows: 4, projectId: null, dataClass: 'internal' },
        { resource: 'observation', rows: 3, projectId: project, dataClass: 'restricted' },
        { resource: 'prompt', rows: 4, projectId: null, dataClass: 'internal' },
        { resource: 'prompt', rows: 2, projectId: project, dataClass: 'internal' },
        { resource: 'summary', rows: 1, projectId: project, dataClass: '' },
      ]),
    );
    expect(sum(done, 'usage')).toBe(2);
    expect(done.every((each) => each.bytes > 0 && /^\d{4}-\d\d$/.test(each.month))).toBe(true);
    expect(await kit.rowsOf(old.id)).toEqual({ prompts: 0, observations: 0, keys: 9, removing: 8 });
    expect(await kit.rowsOf(ofProject.id)).toEqual({ prompts: 0, observations: 2, keys: 5, removing: 2 });
    expect(await kit.rowsOf(secret.id)).toEqual({ prompts: 3, observations: 0, keys: 7, removing: 3 });
    for (const { id } of [young, live, foreign])
      expect(await kit.rowsOf(id)).toEqual({ prompts: 2, observations: 2, keys: 5, removing: 0 });
    // Rows that depend on them: counts of the session, the graph.
    const rows = await kit.db.rows('SELECT prompt_count, observation_count, token_count FROM sessions WHERE id = $1', [
      old.id,
    ]);
    expect(rows[0]).toEqual({ prompt_count: 0, observation_count: 0, token_count: 0 });
    expect(await kit.count('entity_mentions WHERE session_id = $1', [old.id])).toBe(0);
    expect(await kit.count('entities WHERE tenant_id = $1', [user.tenantId])).toBe(3);
  });

  test('of housekeeping counts what is deleted without approval', async () => {
    await kit.db.write(
      `INSERT INTO tombstones (tenant_id, host, external_id, key_sha256, created_at) VALUES ($1, 'a', 'b', sha256('1'), now() - interval '11 years'), ($1, 'a', 'b', sha256('2'), now())`,
      [user.tenantId],
    );
    const { planned, done } = await kit.dryThenRun();
    expect(done).toEqual(planned);
    expect(done).toMatchObject([{ rule: 'default', resource: 'tombstone', rows: 1 }]);
    expect(await kit.count('tombstones WHERE tenant_id = $1', [user.tenantId])).toBe(1);
  });
});

test("an expired prompt's words leave the chunks that quote it", async () => {
  const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 2 });
  await kit.setPolicies([rule('prompt', 90)]);
  await kit.dryThenRun();
  expect(await kit.rowsOf(old.id)).toEqual({ prompts: 0, observations: 2, keys: 5, removing: 2 });
  expect(
    await kit.count("embeddings WHERE resource_id = ANY ($1) AND state = 'pending' AND revision > 0", [
      old.observations,
    ]),
  ).toBe(2);
});

test('decay lowers importance by age once, except for flagged rows', async () => {
  const { observations } = await makeOldSession(kit.db, user, { at: daysAgo(200), rows: 2 });
  await kit.db.write('UPDATE observations SET flagged = true WHERE id = $1', [observations[0]]);
  await kit.setPolicies([rule('observation', 20, { action: 'decay' })]);
  const { planned, done } = await kit.dryThenRun();
  expect(done).toEqual(planned);
  expect(sum(done, 'observation')).toBe(1);
  const rows = await kit.db.rows<{ importance: number }>(
    'SELECT importance FROM observations WHERE id = ANY ($1) ORDER BY flagged',
    [observations],
  );
  expect(rows.map(({ importance }) => importance)).toEqual([0.25, 0.7]);
  const again = await kit.open('run');
  await kit.finish(again);
  expect(await kit.countsOf(again)).toEqual([]);
});

describe('a changed policy', () => {
  test('deletes nothing: the schedule starts a dry run and alerts the admins once', async () => {
    const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 2 });
    await kit.setPolicies([rule('observation', 90)]);
    const activities = createRetentionActivities(kit.parts);
    for (const runs of [1, 0]) {
      const groupId = randomUUID();
      expect(await activities.openRetention({ groupId })).toEqual({ runs });
      await kit.finish(groupId);
      await activities.finishRetention({ groupId, state: 'completed', error: null });
    }
    expect((await kit.rowsOf(old.id)).observations).toBe(2);
    const rows = await kit.db.rows<{ type: string; details: { run_id: string; rows: number } }>(
      'SELECT type, details FROM system_alerts WHERE tenant_id = $1',
      [user.tenantId],
    );
    expect(rows).toMatchObject([{ type: 'retention_dry_run', details: { rows: 2 } }]);
    // Approved, the schedule does it.
    await kit.db.database.asTenant(user.tenantId, (transaction) =>
      approveRun(transaction, rows[0]?.details.run_id ?? '', user.userId),
    );
    const groupId = randomUUID();
    await activities.openRetention({ groupId });
    await kit.finish(groupId);
    expect((await kit.rowsOf(old.id)).observations).toBe(0);
  });

  test('ends a run that started before it', async () => {
    const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 2 });
    await kit.setPolicies([rule('observation', 90)]);
    const dry = await kit.open('dry_run');
    await kit.finish(dry);
    await kit.db.database.asTenant(user.tenantId, (transaction) => approveRun(transaction, dry, user.userId));
    const run = await kit.open('run');
    await kit.setPolicies([rule('observation', 91)]);
    await kit.finish(run);
    expect([await kit.stateOf(run), await kit.errorOf(run)]).toEqual(['cancelled', 'PolicyChanged']);
    const unapproved = await kit.open('run');
    await kit.finish(unapproved);
    expect([await kit.stateOf(unapproved), await kit.errorOf(unapproved)]).toEqual(['failed', 'NotApproved']);
    expect((await kit.rowsOf(old.id)).observations).toBe(2);
  });
});

describe('a legal hold', () => {
  test.each(['tenant', 'user', 'project', 'session'] as const)(
    'on a %s retains its rows and its month, until it is released',
    async (subject) => {
      const { middle, month } = await makeMonth(kit.db, 5);
      const projectId = await kit.db.createProject(user);
      const old = await makeOldSession(kit.db, user, { at: middle, rows: 2, projectId });
      const id = { tenant: user.tenantId, user: user.userId, project: projectId, session: old.id }[subject];
      const hold = await kit.db.database.asTenant(user.tenantId, (transaction) =>
        addHold(transaction, { ...user, subject, subjectId: id, reason: 'a case' }),
      );
      await kit.setPolicies([rule('observation', 30), rule('session', 300)]);
      expect(await kit.dryThenRun()).toEqual({ planned: [], done: [] });
      expect((await kit.rowsOf(old.id)).observations).toBe(2);
      expect(
        await kit.count(`pg_class WHERE relname = 'observations_${month.replace('-', '_')}' AND relispartition`),
      ).toBe(1);
      await kit.db.database.asTenant(user.tenantId, (transaction) =>
        releaseHold(transaction, hold?.id ?? '', user.userId),
      );
      expect(sum((await kit.dryThenRun()).done, 'observation')).toBe(2);
    },
  );
});

describe('a month', () => {
  test('that has fully expired is dropped with vectors, mentions and counts', async () => {
    const { middle, month } = await makeMonth(kit.db, 9);
    const note = `bytes in all (sha256:${'a'.repeat(64)}), the middle is left out`;
    const key = fullValueKey(user.tenantId, 'a'.repeat(64));
    await kit.parts.objects?.put(key, new TextEncoder().encode('full value'));
    const long = await makeOldSession(kit.db, user, { at: middle, rows: 3, content: `${'x'.repeat(20_000)} ${note} ` });
    const short = await makeOldSession(kit.db, user, { at: middle, rows: 2 });
    await kit.setPolicies([rule('observation', 30), rule('prompt', 30)]);
    const { planned, done } = await kit.dryThenRun();
    expect(done).toEqual(planned);
    expect(sum(done, 'observation')).toBe(5);
    expect(await kit.count(`pg_class WHERE relname ~ '^(observations|prompts)_${month.replace('-', '_')}$'`)).toBe(0);
    expect(await kit.count(`pg_class WHERE relname = 'usage_ledger_${month.replace('-', '_')}'`)).toBe(1);
    expect(await kit.rowsOf(long.id)).toEqual({ prompts: 0, observations: 0, keys: 7, removing: 6 });
    expect(await kit.rowsOf(short.id)).toEqual({ prompts: 0, observations: 0, keys: 5, removing: 4 });
    expect(await kit.count('entity_mentions WHERE session_id = $1', [short.id])).toBe(0);
    const rows = await kit.db.rows(
      'SELECT DISTINCT prompt_count, observation_count FROM sessions WHERE id = ANY ($1)',
      [[long.id, short.id]],
    );
    expect(rows).toEqual([{ prompt_count: 0, observation_count: 0 }]);
    expect(await kit.parts.objects?.get(key)).toBeNull();
  });

  test("with another tenant's rows loses expired rows alone", async () => {
    const { middle, month } = await makeMonth(kit.db, 10);
    const mine = await makeOldSession(kit.db, user, { at: middle, rows: 2 });
    const foreign = await makeOldSession(kit.db, stranger, { at: middle, rows: 2 });
    await kit.setPolicies([rule('observation', 30)]);
    expect(sum((await kit.dryThenRun()).done, 'observation')).toBe(2);
    expect((await kit.rowsOf(mine.id)).observations).toBe(0);
    expect((await kit.rowsOf(foreign.id)).observations).toBe(2);
    expect(
      await kit.count(`pg_class WHERE relname = 'observations_${month.replace('-', '_')}' AND relispartition`),
    ).toBe(1);
  });

  test('with rows of a session that was not archived remains, as the dry run counted', async () => {
    const { middle, month } = await makeMonth(kit.db, 7);
    const old = await makeOldSession(kit.db, user, { at: middle, rows: 2 });
    await kit.setPolicies([rule('session', 30, { action: 'archive' }), rule('observation', 40)]);
    const dry = await kit.open('dry_run');
    await kit.finish(dry);
    await kit.db.database.asTenant(user.tenantId, (transaction) => approveRun(transaction, dry, user.userId));
    const run = await kit.open('run');
    while ((await stepGroup({ ...kit.parts, archives: null }, run, 60_000, new AbortController().signal)).more);
    expect(sum(await kit.countsOf(dry), 'observation')).toBe(0);
    expect((await kit.rowsOf(old.id)).observations).toBe(2);
    expect(
      await kit.count(`pg_class WHERE relname = 'observations_${month.replace('-', '_')}' AND relispartition`),
    ).toBe(1);
  });

  test('detached by an interrupted run is ignored by backups and exports, and dropped without policies', async () => {
    const { middle, month } = await makeMonth(kit.db, 8);
    const part = `observations_${month.replace('-', '_')}`;
    const old = await makeOldSession(kit.db, user, { at: middle, rows: 2 });
    await kit.db.owner.query(`ALTER TABLE observations DETACH PARTITION ${part}`);
    const reader = await kit.maintenance.connect();
    const tables = [...(await readCatalog(reader)), ...(await tenantTables(reader))].map(({ name }) => name);
    reader.release();
    expect(tables).toContain('observations');
    expect(tables).not.toContain(part);
    const groupId = randomUUID();
    expect(await createRetentionActivities(kit.parts).openRetention({ groupId })).toEqual({ runs: 1 });
    await kit.finish(groupId);
    expect(await kit.count('pg_class WHERE relname = $1', [part])).toBe(0);
    expect((await kit.rowsOf(old.id)).removing).toBe(2);
  });

  test('is not dropped before its end or while its table is read', async () => {
    const now = new Date().toISOString().slice(0, 7);
    await expect(
      kit.maintenance.query("SELECT * FROM detach_expired_month('observations', $1, '[]', '{}')", [`${now}-01`]),
    ).rejects.toMatchObject({ code: 'RT002' });
    await expect(
      kit.maintenance.query("SELECT drop_detached_month('observations', $1)", [`${now}-01`]),
    ).rejects.toMatchObject({ code: 'RT002' });
    await expect(kit.maintenance.query("SELECT drop_detached_month('sessions', '2020-01-01')")).rejects.toMatchObject({
      code: 'RT002',
    });
  });
});

test('an interrupted run resumes and counts each row once', async () => {
  const old = await makeOldSession(kit.db, user, { at: daysAgo(100), rows: 30 });
  await kit.setPolicies([rule('observation', 90), rule('prompt', 90)]);
  const dry = await kit.open('dry_run');
  // One piece a step.
  let steps = 0;
  while ((await stepGroup(kit.parts, dry, 0, new AbortController().signal)).more) steps += 1;
  expect(steps).toBeGreaterThan(5);
  await kit.db.database.asTenant(user.tenantId, (transaction) => approveRun(transaction, dry, user.userId));
  const run = await kit.open('run');
  const stopped = new AbortController();
  stopped.abort();
  await expect(stepGroup(kit.parts, run, 60_000, stopped.signal)).rejects.toMatchObject({ name: 'AbortError' });
  while (await kit.count('observations WHERE session_id = $1', [old.id]))
    await stepGroup(kit.parts, run, 0, new AbortController().signal);
  expect(await kit.count('prompts WHERE session_id = $1', [old.id])).toBe(30);
  await kit.finish(run);
  expect(await kit.countsOf(run)).toEqual(await kit.countsOf(dry));
  expect(await kit.rowsOf(old.id)).toEqual({ prompts: 0, observations: 0, keys: 61, removing: 60 });
});
