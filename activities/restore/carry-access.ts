import type pg from 'pg';
import { z } from 'zod';

/** Tables of access, capture, retention and requests of people: for tenants of both databases, the running database's rows replace the backup's. */
export const ACCESS_TABLES = [
  'users',
  'api_keys',
  'user_invites',
  'user_sessions',
  'refresh_tokens',
  'mfa_totp',
  'mfa_recovery',
  'oauth_grants',
  'user_identities',
  'passkeys',
  'settings',
  'excluded_sessions',
  'retention_policies',
  'gdpr_requests',
] as const;
type AccessTable = (typeof ACCESS_TABLES)[number];

/** Rows per statement. */
const ROWS_AT_ONCE = 2_000;

const idRows = z.array(z.object({ id: z.string() }));
const jsonRows = z.array(z.object({ row: z.record(z.string(), z.unknown()) }));
const nameRows = z.array(z.object({ name: z.string() }));

async function idsOf(client: pg.ClientBase, query: string, values: unknown[] = []): Promise<string[]> {
  return idRows.parse((await client.query(query, values)).rows).map(({ id }) => id);
}

async function* rowsOf(from: pg.ClientBase, table: AccessTable, tenants: readonly string[]): AsyncGenerator<string> {
  const { rows } = await from.query(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE tenant_id = ANY ($1::uuid[])`, [
    tenants,
  ]);
  const found = jsonRows.parse(rows).map(({ row }) => row);
  for (let at = 0; at < found.length; at += ROWS_AT_ONCE) yield JSON.stringify(found.slice(at, at + ROWS_AT_ONCE));
}

/** Replaces the rows of these tenants by the running database's. */
async function replaceRows(
  from: pg.ClientBase,
  into: pg.ClientBase,
  table: Exclude<AccessTable, 'users'>,
  tenants: readonly string[],
  where = 'true',
): Promise<void> {
  await into.query(`DELETE FROM ${table} WHERE tenant_id = ANY ($1::uuid[])`, [tenants]);
  for await (const page of rowsOf(from, table, tenants))
    await into.query(
      `INSERT INTO ${table} SELECT r.* FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb) AS r WHERE ${where} ON CONFLICT DO NOTHING`,
      [page],
    );
}

/**
 * Copies users with role, password, second factor and active flag from the running database. Users that it no longer has remain as owners of
 * restored rows, inactive.
 */
async function carryUsers(from: pg.ClientBase, into: pg.ClientBase, tenants: readonly string[]): Promise<void> {
  const current = await idsOf(from, 'SELECT id FROM users WHERE tenant_id = ANY ($1::uuid[])', [tenants]);
  // Names are unique in a tenant and may have been swapped: all are freed first.
  await into.query('UPDATE users SET username = id::text WHERE id = ANY ($1::uuid[])', [current]);
  const { rows } = await into.query(
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'",
  );
  const columns = nameRows.parse(rows).map(({ name }) => into.escapeIdentifier(name));
  for await (const page of rowsOf(from, 'users', tenants)) {
    await into.query(
      `UPDATE users u SET username = u.username || ' ' || u.id FROM jsonb_populate_recordset(NULL::users, $1::jsonb) AS r
        WHERE u.tenant_id = r.tenant_id AND u.username = r.username AND u.id <> r.id`,
      [page],
    );
    await into.query(
      `INSERT INTO users SELECT * FROM jsonb_populate_recordset(NULL::users, $1::jsonb)
       ON CONFLICT (id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
      [page],
    );
  }
  await into.query('UPDATE users SET active = false WHERE tenant_id = ANY ($1::uuid[]) AND id <> ALL ($2::uuid[])', [
    tenants,
    current,
  ]);
}

/** Copies the keys of access tokens, which are the instance's. */
async function carrySigningKeys(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  const { rows } = await from.query('SELECT to_jsonb(k) AS row FROM signing_keys k');
  await into.query(
    'INSERT INTO signing_keys SELECT * FROM jsonb_populate_recordset(NULL::signing_keys, $1::jsonb) ON CONFLICT DO NOTHING',
    [JSON.stringify(jsonRows.parse(rows).map(({ row }) => row))],
  );
}

/** Copies registered clients and the tokens of grants that the other database has. Open consents begin again. */
async function carryOauthPayloads(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  const { rows } = await from.query(
    "SELECT to_jsonb(p) AS row FROM oauth_payloads p WHERE model <> 'Interaction' AND expires_at > now()",
  );
  await into.query(
    `INSERT INTO oauth_payloads SELECT r.* FROM jsonb_populate_recordset(NULL::oauth_payloads, $1::jsonb) AS r
      WHERE r.grant_id IS NULL OR r.grant_id IN (SELECT id FROM oauth_grants) ON CONFLICT DO NOTHING`,
    [JSON.stringify(jsonRows.parse(rows).map(({ row }) => row))],
  );
}

/** Copies which sessions have capture disabled. */
async function carryCapture(from: pg.ClientBase, into: pg.ClientBase, tenants: readonly string[]): Promise<void> {
  const off = await idsOf(from, 'SELECT id FROM sessions WHERE tenant_id = ANY ($1::uuid[]) AND NOT capture', [
    tenants,
  ]);
  await into.query(
    'UPDATE sessions SET capture = id <> ALL ($2::uuid[]) WHERE tenant_id = ANY ($1::uuid[]) AND (NOT capture OR id = ANY ($2::uuid[]))',
    [tenants, off],
  );
}

/**
 * Copies current access into the other database: revoked keys, deactivated or demoted users, invites, identities, log-ins, second factors, grants of OAuth clients, suspended tenants, exclusions, settings and limits. Tenants that
 * only one database has are unchanged.
 */
export async function carryAccess(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  const restored = await idsOf(into, 'SELECT id FROM tenants');
  const tenants = await idsOf(from, 'SELECT id FROM tenants WHERE id = ANY ($1::uuid[])', [restored]);
  const { rows } = await from.query('SELECT to_jsonb(t) AS row FROM tenants t WHERE id = ANY ($1::uuid[])', [tenants]);
  await into.query(
    `UPDATE tenants t SET limits = r.limits, suspended_at = r.suspended_at FROM jsonb_populate_recordset(NULL::tenants, $1::jsonb) AS r WHERE t.id = r.id`,
    [JSON.stringify(jsonRows.parse(rows).map(({ row }) => row))],
  );
  await carryUsers(from, into, tenants);
  await replaceRows(from, into, 'api_keys', tenants);
  await replaceRows(from, into, 'user_invites', tenants);
  // A session before its refresh tokens.
  await replaceRows(from, into, 'user_sessions', tenants);
  await replaceRows(from, into, 'refresh_tokens', tenants);
  await replaceRows(from, into, 'mfa_totp', tenants);
  await replaceRows(from, into, 'mfa_recovery', tenants);
  await carrySigningKeys(from, into);
  await replaceRows(from, into, 'oauth_grants', tenants);
  await carryOauthPayloads(from, into);
  await replaceRows(from, into, 'user_identities', tenants);
  await replaceRows(from, into, 'passkeys', tenants);
  await replaceRows(from, into, 'settings', tenants);
  await replaceRows(from, into, 'excluded_sessions', tenants);
  // A policy of a project that the backup lacks applies to nothing.
  await replaceRows(
    from,
    into,
    'retention_policies',
    tenants,
    'r.project_id IS NULL OR r.project_id IN (SELECT id FROM projects)',
  );
  await replaceRows(from, into, 'gdpr_requests', tenants);
  // The workflow of a running erasure or export was ended.
  await into.query(
    "UPDATE gdpr_requests SET state = 'failed', finished_at = now(), updated_at = now() WHERE state = 'running' AND tenant_id = ANY ($1::uuid[])",
    [tenants],
  );
  await carryCapture(from, into, tenants);
}

const rows = z.array(z.object({ row: z.record(z.string(), z.unknown()) }));

async function jsonOf(client: pg.ClientBase, query: string): Promise<string> {
  return JSON.stringify(rows.parse((await client.query(query)).rows).map(({ row }) => row));
}

/**
 * Copies current legal holds and restrictions into the other database, releases included, so that a restore neither deletes nor shows
 * restricted rows. Tenants that it lacks are skipped.
 */
export async function carryLimits(from: pg.ClientBase, into: pg.ClientBase): Promise<void> {
  await into.query(
    `INSERT INTO legal_holds SELECT h.* FROM jsonb_populate_recordset(NULL::legal_holds, $1::jsonb) AS h JOIN tenants t ON t.id = h.tenant_id
     ON CONFLICT (id) DO UPDATE SET released_by = excluded.released_by, released_at = excluded.released_at`,
    [await jsonOf(from, 'SELECT to_jsonb(h) AS row FROM legal_holds h')],
  );
  for (const table of ['sessions', 'users'] as const) {
    const hidden = await jsonOf(
      from,
      `SELECT jsonb_build_object('id', id, 'restricted_until', restricted_until) AS row FROM ${table} WHERE restricted_until IS NOT NULL`,
    );
    const known = await jsonOf(
      into,
      `SELECT jsonb_build_object('id', id) AS row FROM ${table} WHERE restricted_until IS NOT NULL`,
    );
    const lifted = JSON.stringify(
      rows
        .parse(
          (
            await from.query(
              `SELECT jsonb_build_object('id', t.id) AS row FROM ${table} t
                WHERE t.restricted_until IS NULL AND t.id IN (SELECT (k ->> 'id')::uuid FROM jsonb_array_elements($1::jsonb) AS k)`,
              [known],
            )
          ).rows,
        )
        .map(({ row }) => row),
    );
    await into.query(
      `UPDATE ${table} t SET restricted_until = NULL FROM jsonb_array_elements($1::jsonb) AS k WHERE t.id = (k ->> 'id')::uuid`,
      [lifted],
    );
    await into.query(
      `UPDATE ${table} t SET restricted_until = (k ->> 'restricted_until')::timestamptz FROM jsonb_array_elements($1::jsonb) AS k WHERE t.id = (k ->> 'id')::uuid`,
      [hidden],
    );
  }
}
