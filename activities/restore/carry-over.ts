import type pg from 'pg';
import { z } from 'zod';
import { carryAccess, carryLimits } from './carry-access.ts';
import { endErasures } from '../../stores/postgres/erasure/replay-erasures.ts';
import { FIRST_ID } from '../../domain/ids.ts';

/** Tables that tell of this instance's sets and restores: they are in no set, and go on with whichever database is the running one. */
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

/** Writes the instance's own accounts into the other database, in place of what is there. */
async function carryAccounts(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  for (const table of OWN_ACCOUNTS) {
    const rows = await rowsOf(from, `SELECT to_jsonb(t) AS row FROM ${table} t`);
    await into.query(`DELETE FROM ${table}`);
    for (const row of rows) await insertRow(into, table, row, '');
  }
  // The swap ends their workflows, but not the schedule's. Asked for again, such a row would be made anew, and its set, perhaps whole, taken away first.
  await into.query(
    "UPDATE backups SET state = 'failed', error = 'Interrupted', finished_at = now() WHERE state = 'running' AND starts_with(workflow_id, 'job/')",
  );
}

/** Rows of a page. */
const ERASURES = 500;

/**
 * Writes the accounts of erasures into the other database, in place of what is there: whoever asked sees his own, with its receipt. The workflow of one that
 * was under way was ended, and the rows that it had yet to erase may be others there: it is to be asked for again.
 */
export async function carryErasures(from: pg.Pool, into: pg.Pool): Promise<void> {
  for (let after = FIRST_ID; ;) {
    const rows = await rowsOf(
      from,
      `SELECT to_jsonb(e) || jsonb_build_object('needle', null, 'found', null) AS row FROM erasures e WHERE id > $1 ORDER BY id LIMIT $2`,
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

/** The tenant that this instance was set up with, in the other database: itself, else the one of its name, else made. Operators are its admins alone. */
async function carryTenant(into: pg.ClientBase, tenant: Record<string, unknown>): Promise<string> {
  const known = await idOf(into, 'SELECT id FROM tenants WHERE id = $1 OR name = $2 ORDER BY id = $1 DESC LIMIT 1', [
    tenant['id'],
    tenant['name'],
  ]);
  await into.query('UPDATE tenants SET is_operator = false WHERE is_operator');
  if (known === null) await insertRow(into, 'tenants', tenant, '');
  const id = known ?? String(tenant['id']);
  await into.query('UPDATE tenants SET is_operator = true WHERE id = $1', [id]);
  return id;
}

/**
 * Keeps the door open: admins of the tenant that this instance was set up with, with their passwords and keys as they are now, also where
 * the set is another instance's or older than they are. Whoever has the instance's `credentials.json` gets in after the restore as before it.
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
      'ON CONFLICT (id) DO UPDATE SET password_hash = excluded.password_hash, totp_secret = excluded.totp_secret, role = excluded.role, active = true',
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

/** Carries over what outlives a restore, from the running database into the one that takes its place; as a whole or not at all, and any number of times. */
export async function carryOver(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  await into.query('BEGIN');
  try {
    await carryAccess(from, into);
    await carryIdentity(from, into);
    await carryAccounts(from, into);
    await carryLimits(from, into);
    await into.query('COMMIT');
  } catch (error) {
    await into.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

const heldRow = z.tuple([z.object({ held: z.boolean() })]);

/** Whether people have sessions or learnings in a database: it is not replaced unless that is said. */
export async function holdsMemory(client: pg.Pool | pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query('SELECT EXISTS (SELECT FROM sessions) OR EXISTS (SELECT FROM learnings) AS held');
  return heldRow.parse(rows)[0].held;
}
