import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { carryAudit } from '../../../activities/restore/carry-audit.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';
import { appendRows, verified } from '../../stores/postgres/support/audit-rows.ts';

let running: TestDatabase;
let restored: TestDatabase;

beforeAll(async () => {
  [running, restored] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});
afterAll(async () => {
  await running.close();
  await restored.close();
});

const TABLES = ['audit_log', 'audit_heads', 'audit_anchors'] as const;

/** Copies the audit log of a tenant, as a backup does, with the tenant. */
async function backUp({ tenantId }: TestUser): Promise<void> {
  for (const table of ['tenants', ...TABLES]) {
    const column = table === 'tenants' ? 'id' : 'tenant_id';
    const rows = await running.rows<{ row: unknown }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${column} = $1`,
      [tenantId],
    );
    await restored.write(
      `INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1) ON CONFLICT DO NOTHING`,
      [JSON.stringify(rows.map(({ row }) => row))],
    );
  }
}

async function carry(): Promise<void> {
  const [from, into] = [running, restored].map((db) => new pg.Client({ connectionString: db.url('maintenance') }));
  if (from === undefined || into === undefined) throw new Error('two clients');
  await Promise.all([from.connect(), into.connect()]);
  try {
    await carryAudit(from, into);
  } finally {
    await Promise.all([from.end(), into.end()]);
  }
}

const rowsOf = (db: TestDatabase, { tenantId }: TestUser) =>
  db.rows(`SELECT to_jsonb(l) AS row FROM audit_log l WHERE tenant_id = $1 ORDER BY seq`, [tenantId]);

test('appends the rows since the backup, twice, and the chain can be continued', async () => {
  const user = await running.createUser();
  await appendRows(running, user, 5);
  await backUp(user);
  await appendRows(running, user, 3);
  await running.write(
    'INSERT INTO audit_anchors SELECT tenant_id, seq, hash, now() FROM audit_heads WHERE tenant_id = $1',
    [user.tenantId],
  );
  await carry();
  await appendRows(running, user, 2);
  await carry();
  expect(await rowsOf(restored, user)).toEqual(await rowsOf(running, user));
  expect(await verified(restored, user)).toEqual({ checked: 10, fault: null });
  await appendRows(restored, user, 1);
  expect(await verified(restored, user)).toEqual({ checked: 11, fault: null });
});

test('retains chains that only the backup has, or has further', async () => {
  const only = await restored.createUser();
  await appendRows(restored, only, 2);
  const user = await running.createUser();
  await appendRows(running, user, 2);
  await backUp(user);
  await appendRows(restored, user, 4);
  await carry();
  expect(await verified(restored, only)).toEqual({ checked: 2, fault: null });
  expect(await verified(restored, user)).toEqual({ checked: 6, fault: null });
});

test('takes the chain of the running database where they differ, and that of a tenant without a backup', async () => {
  const [user, late] = [await running.createUser(), await running.createUser()];
  await appendRows(running, late, 2);
  await appendRows(running, user, 2);
  await backUp(user);
  await appendRows(restored, user, 4);
  await appendRows(running, user, 3);
  await carry();
  expect(await rowsOf(restored, user)).toEqual(await rowsOf(running, user));
  expect(await rowsOf(restored, late)).toEqual(await rowsOf(running, late));
  expect(await verified(restored, user)).toEqual({ checked: 5, fault: null });
});

test('carries a chain that grows meanwhile, and again without gaps or duplicates', async () => {
  const user = await running.createUser();
  await appendRows(running, user, 1);
  await backUp(user);
  let carried = false;
  const growing = (async () => {
    while (!carried) await appendRows(running, user, 1);
  })();
  for (let n = 0; n < 10; n += 1) await carry();
  carried = true;
  await growing;
  await carry();
  expect(await rowsOf(restored, user)).toEqual(await rowsOf(running, user));
  expect((await verified(restored, user)).fault).toBeNull();
});
