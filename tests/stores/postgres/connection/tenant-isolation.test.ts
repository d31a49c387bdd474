import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { asApplication } from '../support/as-application.ts';
import { seedTenant } from '../support/seed-tenant.ts';

const db = fileDatabase();
let mine: TestUser;
let other: TestUser;
/** Every table with a tenant, from the catalogue: a new one is tested without being named here. */
let tables: string[];

beforeAll(async () => {
  [mine, other] = [await seedTenant(db), await seedTenant(db)];
  const owned = await db.rows<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`,
  );
  tables = owned.map((row) => row.name);
});

/** Runs statements as the application in one transaction of a tenant that sees all private rows, and rolls it back. */
const as = <Result>(tenantId: string | null, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> =>
  asApplication(db, tenantId, '*', work);

async function count(client: pg.PoolClient, from: string): Promise<number> {
  return (await client.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${from}`)).rows[0]?.n ?? -1;
}

/** PostgreSQL's error code for one statement as the application; null if it succeeded. */
function codeOf(tenantId: string | null, sql: string, values: unknown[] = []): Promise<string | null> {
  return as(tenantId, (client) =>
    client.query(sql, values).then(
      () => null,
      (error: { code?: string }) => error.code ?? 'none',
    ),
  );
}

/** Tables that the application only reads: chain.test.ts and stream-events.test.ts prove that it cannot write them. */
const READ_ONLY: ReadonlySet<string> = new Set(['audit_anchors', 'audit_heads', 'audit_log', 'stream_events']);
const written = () => tables.filter((table) => !READ_ONLY.has(table));

describe('every table with a tenant', () => {
  test('is known, and has a row of each tenant', async () => {
    expect(tables.length).toBeGreaterThanOrEqual(16);
    for (const table of tables) {
      for (const user of [mine, other])
        expect(
          await db.count(`${table} WHERE tenant_id = '${user.tenantId}'`),
          `rows of ${table}: seed it in support/seed-tenant.ts`,
        ).toBeGreaterThan(0);
    }
  });

  test('has row-level security that binds its owner, too, and a policy for reading and one for writing', async () => {
    const bare = await db.rows(
      `SELECT c.relname FROM pg_class c WHERE c.relname = ANY ($1) AND c.relnamespace = 'public'::regnamespace
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
            SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive AND p.polroles = '{0}' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))`,
      [[...tables, 'tenants']],
    );
    expect(bare).toEqual([]);
  });

  test('shows nothing without a tenant, with an empty one or with one that has no rows', async () => {
    for (const tenantId of [null, '', randomUUID()]) {
      const seen = await as(tenantId, async (client) => {
        const counts: Record<string, number> = {};
        for (const table of [...tables, 'tenants']) counts[table] = await count(client, table);
        return counts;
      });
      expect(seen).toEqual(Object.fromEntries([...tables, 'tenants'].map((table) => [table, 0])));
    }
  });

  test("shows a tenant its own rows, all of them and no other's", async () => {
    await as(mine.tenantId, async (client) => {
      for (const table of tables) {
        const seen = [
          await count(client, table),
          await count(client, `${table} WHERE tenant_id <> '${mine.tenantId}'`),
        ];
        expect([table, ...seen]).toEqual([table, await db.count(`${table} WHERE tenant_id = '${mine.tenantId}'`), 0]);
      }
      expect((await client.query('SELECT id FROM tenants')).rows).toEqual([{ id: mine.tenantId }]);
    });
  });

  test("rejects another tenant's row by its policy", async () => {
    for (const table of written()) {
      const insert = `INSERT INTO ${table} (tenant_id) VALUES ($1)`;
      const codes = {
        another: await codeOf(mine.tenantId, insert, [other.tenantId]),
        none: await codeOf(null, insert, [mine.tenantId]),
        own: await codeOf(mine.tenantId, insert, [mine.tenantId]),
      };
      // An own row passes the policy; it is rejected for its missing columns.
      expect({ table, ...codes }).toEqual({ table, another: '42501', none: '42501', own: '23502' });
    }
  });

  test("moves no row to another tenant, and neither changes nor deletes another's", async () => {
    for (const table of written()) {
      const given = await codeOf(mine.tenantId, `UPDATE ${table} SET tenant_id = $1`, [other.tenantId]);
      const touched = await as(mine.tenantId, async (client) => {
        const updated = await client.query(`UPDATE ${table} SET tenant_id = tenant_id WHERE tenant_id = $1`, [
          other.tenantId,
        ]);
        const deleted = await client.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [other.tenantId]);
        return [updated.rowCount, deleted.rowCount];
      });
      expect([table, given, ...touched]).toEqual([table, '42501', 0, 0]);
    }
  });

  test('resets its tenant after the transaction, so that the next one on the connection has none', async () => {
    const client = await db.database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('app.tenant_id', $1, true)", [mine.tenantId]);
      expect(await count(client, 'sessions')).toBe(1);
      await client.query('COMMIT');
      expect(await count(client, 'sessions')).toBe(0);
    } finally {
      client.release();
    }
  });

  test('is closed to an invalid tenant', async () => {
    expect(await codeOf("' OR true --", 'SELECT count(*) FROM sessions')).toBe('22P02');
  });
});

describe('the facade over it', () => {
  test('binds everything inside a transaction to its tenant', async () => {
    const seen = await db.database.asTenant(mine.tenantId, async (transaction) => [
      await transaction.session.count(),
      await transaction.prompt.count({ where: { tenantId: other.tenantId } }),
    ]);
    expect(seen).toEqual([1, 0]);
  });

  test('isolates transactions of different tenants on one pool', async () => {
    const seen = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const user = index % 2 === 0 ? mine : other;
        return db.database.asTenant(user.tenantId, async (transaction) =>
          (await transaction.session.findMany({ select: { tenantId: true } })).every(
            (row) => row.tenantId === user.tenantId,
          ),
        );
      }),
    );
    expect(seen).toEqual(Array.from({ length: 20 }, () => true));
  });
});

describe('parts of partitioned tables', () => {
  test('read or written by their own name, where no policy is, are refused', async () => {
    const parts = await db.rows<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'",
    );
    expect(parts.length).toBeGreaterThan(30);
    for (const { name } of parts) {
      const codes = [
        await codeOf(mine.tenantId, `SELECT 1 FROM ${name}`),
        await codeOf(mine.tenantId, `DELETE FROM ${name}`),
      ];
      expect([name, ...codes]).toEqual([name, '42501', '42501']);
    }
  });
});

describe("the system's own settings", () => {
  test('are read by every tenant, by none without one, and changed by none', async () => {
    await db.write(
      "INSERT INTO settings (id, scope, scope_id, key, value) VALUES (uuidv7(), 'system', '', 'colour', '2')",
    );
    await as(mine.tenantId, async (client) => expect(await count(client, "settings WHERE scope = 'system'")).toBe(1));
    await as(null, async (client) => expect(await count(client, 'settings')).toBe(0));
    await as(mine.tenantId, async (client) =>
      expect((await client.query("UPDATE settings SET value = '3' WHERE scope = 'system'")).rowCount).toBe(0),
    );
    expect(
      await codeOf(
        mine.tenantId,
        "INSERT INTO settings (id, scope, scope_id, key) VALUES (uuidv7(), 'system', '', 'other')",
      ),
    ).toBe('42501');
  });
});
