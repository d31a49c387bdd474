import { describe, expect, test } from 'vitest';
import { addAnchors, auditHeads } from '../../../../stores/postgres/audit/anchors.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { appendRows, verified } from '../support/audit-rows.ts';

const db = fileDatabase();
const ROWS = 12;

async function chain(): Promise<TestUser> {
  const user = await db.createUser({ role: 'admin' });
  await appendRows(db, user, ROWS);
  return user;
}

/** Statements of a superuser in one transaction; `$1` is the tenant. */
async function tamper(user: TestUser, ...statements: readonly string[]): Promise<void> {
  const client = await db.superuser.connect();
  try {
    await client.query('BEGIN');
    for (const statement of statements)
      await client.query(statement.replaceAll('$1', client.escapeLiteral(user.tenantId)));
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

const ROW = 'audit_log WHERE tenant_id = $1 AND seq';
/** Writes a chain anew from a row on, as append_audit computes it. */
const REWRITE = (from: number) => `
  DO $do$ DECLARE entry audit_log; last bytea := (SELECT previous_hash FROM audit_log WHERE tenant_id = $1 AND seq = ${from}); BEGIN
    FOR entry IN SELECT * FROM audit_log WHERE tenant_id = $1 AND seq >= ${from} ORDER BY seq LOOP
      entry.previous_hash := last;
      last := audit_hash(entry);
      UPDATE audit_log SET previous_hash = entry.previous_hash, hash = last WHERE id = entry.id;
    END LOOP;
    UPDATE audit_heads SET hash = last WHERE tenant_id = $1;
  END $do$`;

test('a chain is intact, also of a tenant without rows, and across steps of the verification', async () => {
  expect(await verified(db, await db.createUser())).toEqual({ checked: 0, fault: null });
  const user = await chain();
  expect(await verified(db, user)).toEqual({ checked: ROWS, fault: null });
  await appendRows(db, user, 20_000);
  expect(await verified(db, user)).toEqual({ checked: 20_000 + ROWS, fault: null });
});

describe('tampering by a superuser is found:', () => {
  test.each([
    ['a changed row', ['UPDATE audit_log SET status = 500 WHERE tenant_id = $1 AND seq = 5'], 5, 'changed'],
    ['a changed address', ["UPDATE audit_log SET address = '::2' WHERE tenant_id = $1 AND seq = 5"], 5, 'changed'],
    ['a changed actor', ['UPDATE audit_log SET actor_id = uuidv7() WHERE tenant_id = $1 AND seq = 5'], 5, 'changed'],
    [
      'a changed time',
      ["UPDATE audit_log SET occurred_at = occurred_at - interval '1 microsecond' WHERE tenant_id = $1 AND seq = 5"],
      5,
      'changed',
    ],
    [
      'a changed row with its own hash',
      [
        'UPDATE audit_log SET status = 500 WHERE tenant_id = $1 AND seq = 5',
        'UPDATE audit_log l SET hash = audit_hash(l) WHERE tenant_id = $1 AND seq = 5',
      ],
      6,
      'unlinked',
    ],
    ['a deleted row', [`DELETE FROM ${ROW} = 5`], 5, 'missing'],
    [
      'swapped rows',
      ['UPDATE audit_log SET seq = CASE seq WHEN 4 THEN 7 ELSE 4 END WHERE tenant_id = $1 AND seq IN (4, 7)'],
      4,
      'changed',
    ],
    [
      'a row moved to the end',
      [`UPDATE audit_log SET seq = ${ROWS + 1} WHERE tenant_id = $1 AND seq = 5`],
      5,
      'missing',
    ],
    [
      'a row with the number of another one',
      ['UPDATE audit_log SET seq = 4 WHERE tenant_id = $1 AND seq = 5'],
      4,
      'duplicate',
    ],
    [
      'a row with the number of another one that is read later',
      [
        // The other one is last in the index.
        'UPDATE audit_log SET seq = 1000 WHERE tenant_id = $1 AND seq = 4',
        'UPDATE audit_log SET seq = 4 WHERE tenant_id = $1 AND seq = 5',
        'UPDATE audit_log SET seq = 4 WHERE tenant_id = $1 AND seq = 1000',
      ],
      4,
      'duplicate',
    ],
    ['a cut tail', [`DELETE FROM ${ROW} > 9`], 10, 'missing'],
    [
      'a row after the head',
      [
        `INSERT INTO audit_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', uuidv7(), 'seq', ${ROWS + 1}))).* FROM audit_log l WHERE tenant_id = $1 AND seq = ${ROWS}`,
      ],
      ROWS + 1,
      'beyond_head',
    ],
    [
      'a cut beginning',
      [
        `DELETE FROM ${ROW} < 4`,
        'UPDATE audit_heads SET base_seq = 3, base_before = now(), base_hash = (SELECT previous_hash FROM audit_log WHERE tenant_id = $1 AND seq = 4) WHERE tenant_id = $1',
      ],
      3,
      'missing',
    ],
  ] as const)('%s', async (_what, statements, seq, kind) => {
    const user = await chain();
    await tamper(user, ...statements);
    expect((await verified(db, user)).fault).toEqual({ seq, kind });
  });

  test('a row moved to another tenant, in both', async () => {
    const [one, other] = [await chain(), await chain()];
    await tamper(
      one,
      `UPDATE audit_log SET tenant_id = '${other.tenantId}', seq = ${ROWS + 1} WHERE tenant_id = $1 AND seq = 5`,
    );
    expect((await verified(db, one)).fault).toEqual({ seq: 5, kind: 'missing' });
    expect((await verified(db, other)).fault).toEqual({ seq: ROWS + 1, kind: 'beyond_head' });
  });

  const anchored = async (): Promise<TestUser> => {
    const user = await chain();
    const client = await db.maintenance.connect();
    try {
      await addAnchors(db.maintenance, await auditHeads(client), new Date());
    } finally {
      client.release();
    }
    await appendRows(db, user, ROWS);
    expect((await verified(db, user)).fault).toBeNull();
    return user;
  };

  test('a chain written anew from one row on, only by an anchor', async () => {
    const change = 'UPDATE audit_log SET status = 500 WHERE tenant_id = $1 AND seq = 5';
    const without = await chain();
    await tamper(without, change, REWRITE(5));
    expect((await verified(db, without)).fault).toBeNull();
    const user = await anchored();
    await tamper(user, change, REWRITE(5));
    expect((await verified(db, user)).fault).toEqual({ seq: ROWS, kind: 'anchor' });
  });

  test('a log that was removed completely, and one that was cut before an anchor with its head', async () => {
    const removed = await anchored();
    await tamper(removed, 'DELETE FROM audit_log WHERE tenant_id = $1', 'DELETE FROM audit_heads WHERE tenant_id = $1');
    expect((await verified(db, removed)).fault).toEqual({ seq: ROWS, kind: 'anchor' });
    const cut = await anchored();
    await tamper(
      cut,
      `DELETE FROM ${ROW} > 9`,
      'UPDATE audit_heads SET seq = 9, hash = (SELECT hash FROM audit_log WHERE tenant_id = $1 AND seq = 9) WHERE tenant_id = $1',
    );
    expect((await verified(db, cut)).fault).toEqual({ seq: ROWS, kind: 'anchor' });
  });

  test('a beginning that was cut as if retention had dropped it, if an anchor is younger', async () => {
    const user = await anchored();
    await tamper(
      user,
      `DELETE FROM ${ROW} <= ${ROWS + 2}`,
      `UPDATE audit_heads SET base_seq = ${ROWS + 2}, base_before = now() - interval '500 days', base_hash = (SELECT previous_hash FROM audit_log WHERE tenant_id = $1 AND seq = ${ROWS + 3}) WHERE tenant_id = $1`,
    );
    expect((await verified(db, user)).fault).toEqual({ seq: ROWS, kind: 'anchor' });
  });
});

test('eight writers in parallel keep one chain', async () => {
  const user = await db.createUser();
  const write = async () => {
    for (let n = 0; n < 25; n += 1) await appendRows(db, user, 1);
  };
  await Promise.all(Array.from({ length: 8 }, write));
  expect(await verified(db, user)).toEqual({ checked: 200, fault: null });
});

test.each([
  'UPDATE audit_log SET status = 200',
  'DELETE FROM audit_log',
  'INSERT INTO audit_log (id) VALUES (uuidv7())',
  'TRUNCATE audit_log',
  'UPDATE audit_heads SET seq = 0',
  'DELETE FROM audit_heads',
  'DELETE FROM audit_anchors',
  "SELECT drop_audit_month('2020-01-01', 400)",
])('the application role cannot execute: %s', async (sql) => {
  await expect(db.database.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
});

test('the application role reads the rows of its tenant alone', async () => {
  const [one] = [await chain(), await chain()];
  const rows = await db.database.asTenant(
    one.tenantId,
    (transaction) => transaction.$queryRaw`SELECT DISTINCT tenant_id FROM audit_log`,
  );
  expect(rows).toEqual([{ tenant_id: one.tenantId }]);
  expect((await db.database.pool.query('SELECT FROM audit_log')).rowCount).toBe(0);
});

test('nothing is recorded for a tenant that was erased', async () => {
  const user = await chain();
  await db.write('DELETE FROM api_keys WHERE tenant_id = $1', [user.tenantId]);
  await db.write('DELETE FROM users WHERE tenant_id = $1', [user.tenantId]);
  await db.write('DELETE FROM tenants WHERE id = $1', [user.tenantId]);
  await appendRows(db, user, 1);
  expect(await db.count('audit_log WHERE tenant_id = $1', [user.tenantId])).toBe(ROWS);
});
