import type pg from 'pg';
import { z } from 'zod';
import { carryAccess, carryLimits } from './carry-access.ts';
import { carryAudit } from './carry-audit.ts';
import { endErasures } from '../../stores/postgres/erasure/replay-erasures.ts';
import { FIRST_ID } from '../../domain/ids.ts';

/** Records of this instance's backups and restores: no backup contains them, and they follow the running database. */
const OWN_ACCOUNTS = ['backups', 'restores', 'erasure_journal', 'backup_files'] as const;

const jsonRows = z.array(z.object({ row: z.record(z.string(), z.unknown()) }));
const idRows = z.array(z.object({ id: z.string() }));

async function rowsOf(
  client: Pick<pg.ClientBase, 'query'>,
  query: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return jsonRows.parse((await client.query(query, values)).rows).map(({ row }) => row);
}

async function insertRow(client: pg.ClientBase, table: string, row: object, onConflict: string): Promise<void> {
  await client.query(
    `INSERT INTO ${client.escapeIdentifier(table)} SELECT * FROM jsonb_populate_record(NULL::${client.escapeIdentifier(table)}, $1) ${onConflict}`,
    [JSON.stringify(row)],
  );
}

/** Replaces the instance's own records in the other database. */
async function carryAccounts(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  for (const table of OWN_ACCOUNTS) {
    const rows = await rowsOf(from, `SELECT to_jsonb(t) AS row FROM ${table} t`);
    await into.query(`DELETE FROM ${table}`);
    for (const row of rows) await insertRow(into, table, row, '');
  }
  // The swap ends these workflows, but not the schedule's. A row that stays running would be created again, and its backup, perhaps complete,
  // removed first.
  await into.query(
    "UPDATE backups SET state = 'failed', error = 'Interrupted', finished_at = now() WHERE state = 'running' AND starts_with(workflow_id, 'job/')",
  );
}

/** Rows per page. */
const ERASURES = 500;

/**
 * Replaces the erasure records in the other database, so that users find their own with its receipt. The workflow of a running erasure was ended
 * and its remaining rows may differ there: it must be requested again.
 */
export async function carryErasures(from: pg.Pool, into: pg.Pool): Promise<void> {
  for (let after = FIRST_ID; ;) {
    const rows = await rowsOf(
      from,
      `SELECT to_jsonb(e) || jsonb_build_object('search_text', null, 'found', null) AS row FROM erasures e WHERE id > $1 ORDER BY id LIMIT $2`,
      [after, ERASURES],
    );
    const page = JSON.stringify(rows);
    await into.query(
      "DELETE FROM erasures WHERE id IN (SELECT (r ->> 'id')::uuid FROM jsonb_array_elements($1::jsonb) AS r)",
      [page],
    );
    await into.query('INSERT INTO erasures SELECT * FROM jsonb_populate_recordset(NULL::erasures, $1::jsonb)', [page]);
    const last = rows.at(-1);
    if (last === undefined || rows.length < ERASURES) break;
    after = String(last['id']);
  }
  await endErasures(into);
}

async function idOf(client: pg.ClientBase, query: string, values: unknown[]): Promise<string | null> {
  return idRows.parse((await client.query(query, values)).rows)[0]?.id ?? null;
}

/** Returns the id of the operator tenant in the other database: by id, else by name, else created. Its admins alone are operators. */
async function carryTenant(into: pg.ClientBase, tenant: Record<string, unknown>): Promise<string> {
  const known = await idOf(into, 'SELECT id FROM tenants WHERE id = $1 OR name = $2 ORDER BY id = $1 DESC LIMIT 1', [
    tenant['id'],
    tenant['name'],
  ]);
  await into.query('UPDATE tenants SET is_operator = false WHERE is_operator');
  if (known === null) await insertRow(into, 'tenants', tenant, '');
  const id = known ?? String(tenant['id']);
  await into.query('UPDATE tenants SET is_operator = true, suspended_at = NULL WHERE id = $1', [id]);
  return id;
}

/**
 * Copies the operator tenant's admins with their current passwords and keys, even if the backup is older or another instance's, so that
 * `credentials.json` stays valid.
 */
async function carryIdentity(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  const [tenant] = await rowsOf(from, 'SELECT to_jsonb(t) AS row FROM tenants t WHERE is_operator');
  if (tenant === undefined) return;
  const tenantId = await carryTenant(into, tenant);
  const admins = await rowsOf(
    from,
    "SELECT to_jsonb(u) AS row FROM users u WHERE tenant_id = $1 AND role = 'admin' AND active",
    [tenant['id']],
  );
  for (const admin of admins) {
    const known = await idOf(into, 'SELECT id FROM users WHERE tenant_id = $1 AND username = $2', [
      tenantId,
      admin['username'],
    ]);
    const userId = known ?? String(admin['id']);
    await insertRow(
      into,
      'users',
      { ...admin, id: userId, tenant_id: tenantId },
      'ON CONFLICT (id) DO UPDATE SET password_hash = excluded.password_hash, auth_version = excluded.auth_version, role = excluded.role, active = true',
    );
    const keys = await rowsOf(
      from,
      'SELECT to_jsonb(k) AS row FROM api_keys k WHERE user_id = $1 AND revoked_at IS NULL',
      [admin['id']],
    );
    for (const key of keys)
      await insertRow(
        into,
        'api_keys',
        { ...key, user_id: userId, tenant_id: tenantId },
        'ON CONFLICT (key_sha256) DO UPDATE SET user_id = excluded.user_id, tenant_id = excluded.tenant_id, scopes = excluded.scopes, expires_at = excluded.expires_at, revoked_at = NULL',
      );
  }
}

/** Copies what outlives a restore from the running database into its replacement, in one transaction. Repeatable. */
export async function carryOver(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  await into.query('BEGIN');
  try {
    await carryAccess(from, into);
    await carryIdentity(from, into);
    await carryAccounts(from, into);
    await carryLimits(from, into);
    await carryAudit(from, into);
    await into.query('COMMIT');
  } catch (error) {
    await into.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

const existsRow = z.tuple([z.object({ found: z.boolean() })]);

/** Returns true if a database has sessions or learnings: it is replaced only on request. */
export async function hasMemories(client: pg.Pool | pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query(
    'SELECT EXISTS (SELECT FROM sessions) OR EXISTS (SELECT FROM learnings) AS found',
  );
  return existsRow.parse(rows)[0].found;
}
