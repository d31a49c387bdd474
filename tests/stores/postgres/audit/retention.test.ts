import { expect, test } from 'vitest';
import { erasePerson } from '../../../../stores/postgres/erasure/erase-rows.ts';
import { dropAuditMonths } from '../../../../stores/postgres/audit/months.ts';
import { tenantScopeOf } from '../../../../stores/postgres/connection/tenant-scope.ts';
import { tenantTables } from '../../../../stores/postgres/exports/table-catalog.ts';
import { MIN_AUDIT_DAYS } from '../../../../domain/audit/verification.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { appendRows, verified } from '../support/audit-rows.ts';

const db = fileDatabase();

/** Gives the rows of a chain so far the time of the first day of the month so many months ago, in a partition of that month, and writes the chain anew. */
async function aged(user: TestUser, months: number): Promise<string> {
  const client = await db.superuser.connect();
  try {
    const { rows } = await client.query<{ part: string; lowest: string; above: string; at: Date }>(
      `SELECT 'audit_log_' || to_char(m.at, 'YYYY_MM') AS part, uuidv7_floor(m.at) AS lowest, uuidv7_floor(m.at + interval '1 month') AS above, m.at + interval '1 hour' AS at
         FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - make_interval(months => $1)) AS m(at)`,
      [months],
    );
    const [month] = rows;
    if (month === undefined) throw new Error('one month');
    await client.query(`SET TimeZone = 'UTC'`);
    await db.owner.query(
      `CREATE TABLE IF NOT EXISTS ${month.part} PARTITION OF audit_log FOR VALUES FROM ('${month.lowest}') TO ('${month.above}')`,
    );
    await client.query(`
      DO $do$ DECLARE entry audit_log; last bytea := decode(repeat('00', 32), 'hex'); old uuid; BEGIN
        FOR entry IN SELECT * FROM audit_log WHERE tenant_id = '${user.tenantId}' ORDER BY seq LOOP
          old := entry.id;
          IF entry.occurred_at > now() - interval '1 day' THEN
            entry.occurred_at := '${month.at.toISOString()}'::timestamptz + make_interval(secs => entry.seq);
            entry.id := uuidv7(entry.occurred_at - clock_timestamp());
          END IF;
          entry.previous_hash := last;
          entry.hash := audit_hash(entry);
          last := entry.hash;
          DELETE FROM audit_log WHERE id = old;
          INSERT INTO audit_log SELECT entry.*;
        END LOOP;
        UPDATE audit_heads SET hash = last WHERE tenant_id = '${user.tenantId}';
      END $do$`);
    return month.part;
  } finally {
    client.release(true);
  }
}

const exists = (part: string) => db.value<boolean>('SELECT to_regclass($1) IS NOT NULL AS value', [part]);

test('drops complete expired months, records their last hash, and verification begins after them', async () => {
  const [user, other] = [await db.createUser(), await db.createUser()];
  await appendRows(db, user, 3);
  await appendRows(db, other, 2);
  const old = await aged(user, 20);
  await appendRows(db, user, 4);
  const young = await aged(user, 5);
  await appendRows(db, user, 5);
  expect(await verified(db, user)).toEqual({ checked: 12, fault: null });
  expect(await dropAuditMonths(db.maintenance, 400)).toBe(3);
  expect([await exists(old), await exists(young)]).toEqual([false, true]);
  expect(await verified(db, user)).toEqual({ checked: 9, fault: null });
  expect(await verified(db, other)).toEqual({ checked: 2, fault: null });
  await appendRows(db, user, 1);
  expect(await verified(db, user)).toEqual({ checked: 10, fault: null });
});

test('retains at least 180 days, and everything under a legal hold of the tenant or the user', async () => {
  const user = await db.createUser();
  await appendRows(db, user, 3);
  const part = await aged(user, 20);
  await expect(db.maintenance.query('SELECT drop_audit_month(now()::date, 400)')).rejects.toMatchObject({
    code: 'RT002',
  });
  await expect(
    db.maintenance.query('SELECT drop_audit_month($1, $2)', [
      `${part.slice(-7).replace('_', '-')}-01`,
      MIN_AUDIT_DAYS - 1,
    ]),
  ).rejects.toMatchObject({ code: 'RT002' });
  for (const [subject, id] of [
    ['tenant', user.tenantId],
    ['user', user.userId],
  ]) {
    await db.write(
      'INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by) VALUES (uuidv7(), $1, $2, $3, $4, $5)',
      [user.tenantId, subject, id, 'audit', user.userId],
    );
    expect(await dropAuditMonths(db.maintenance, 400)).toBe(0);
    expect(await exists(part)).toBe(true);
    await db.write('UPDATE legal_holds SET released_at = now() WHERE tenant_id = $1', [user.tenantId]);
  }
  expect(await dropAuditMonths(db.maintenance, 400)).toBe(3);
});

test('erasing a person empties address and agent, retains the rows, and the chain stays intact', async () => {
  const user = await db.createUser();
  const colleague = await db.createUser({ tenantId: user.tenantId });
  await appendRows(db, user, 2);
  await appendRows(db, colleague, 1);
  const scope = tenantScopeOf(db.maintenance);
  const tables = await tenantTables(db.maintenance);
  const { counts } = await scope.asTenant(user.tenantId, (transaction) =>
    erasePerson(transaction, user.userId, tables),
  );
  await scope.close();
  expect(counts).toMatchObject({ audit_log_addresses: 2, users: 1 });
  const rows = await db.rows(
    'SELECT actor_id, address, user_agent, salt IS NULL AS bare FROM audit_log WHERE tenant_id = $1 ORDER BY seq',
    [user.tenantId],
  );
  const erased = { actor_id: user.userId, address: null, user_agent: null, bare: true };
  expect(rows).toEqual([
    erased,
    erased,
    { actor_id: colleague.userId, address: '10.0.0.1', user_agent: 'probe/1', bare: false },
  ]);
  expect(await verified(db, user)).toEqual({ checked: 3, fault: null });
});
