import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { z } from 'zod';
import { newId } from '../../domain/ids.ts';
import { AGENT_KEYS, SCOPES } from '../../domain/access.ts';
import { keySha256, newKey, newSecret, prefixOf } from '../../stores/postgres/access/secrets.ts';
import { connected } from '../../stores/postgres/connection/connected.ts';
import { hashPassword } from '../../domain/passwords.ts';
import { writeFileAtomic } from '../instance/atomic-file.ts';
import { readJsonFile } from '../instance/json-file.ts';

export interface IdentityBootstrap {
  readonly maintenanceDatabaseUrl: string;
  readonly credentialsPath: string;
  readonly url: string;
}

const LOCAL_TENANT = 'local';
const ADMIN = 'admin';
const KEY_NAME = 'local';

const key = z.string().min(20);
const credentialsSchema = z.object({
  url: z.string(),
  api_key: key,
  admin: z.object({ username: z.string(), password: z.string().min(8) }),
  agent_api_key: key,
  agent_write_api_key: key,
});
type Credentials = z.output<typeof credentialsSchema>;
/** Agent keys may be absent. */
const storedSchema = credentialsSchema.partial({ agent_api_key: true, agent_write_api_key: true });

function completed(stored: z.output<typeof storedSchema> | null, url: string): Credentials {
  return {
    url,
    api_key: stored?.api_key ?? newKey(),
    admin: stored?.admin ?? { username: ADMIN, password: newSecret() },
    agent_api_key: stored?.agent_api_key ?? newKey(),
    agent_write_api_key: stored?.agent_write_api_key ?? newKey(),
  };
}

/** Returns the id of the first row. */
async function idOf(client: pg.Client, text: string, values: unknown[]): Promise<string | null> {
  const result = await client.query<{ id: string }>(text, values);
  return result.rows[0]?.id ?? null;
}

/** Returns false if the file is older than the instance's users and no row has its key: the user was erased and stays so. */
async function ensureRows(client: pg.Client, credentials: Credentials, isNewFile: boolean): Promise<boolean> {
  const digest = keySha256(credentials.api_key);
  await client.query('BEGIN');
  // Concurrent starts must not create two admins.
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('recollect.identity', 0))");
  // A revoked key has a row and stays revoked; a new key requires a new credentials.json.
  const isKnown = (await idOf(client, 'SELECT id FROM api_keys WHERE key_sha256 = $1', [digest])) !== null;
  const creates = !isKnown && (isNewFile || (await idOf(client, 'SELECT id FROM users LIMIT 1', [])) === null);
  if (creates) {
    const tenantId = (await idOf(client, 'SELECT id FROM tenants WHERE name = $1', [LOCAL_TENANT])) ?? newId();
    await client.query(
      `INSERT INTO tenants (id, name, is_operator) VALUES ($1, $2, NOT EXISTS (SELECT FROM tenants WHERE is_operator))
       ON CONFLICT (id) DO NOTHING`,
      [tenantId, LOCAL_TENANT],
    );
    const userId =
      (await idOf(client, 'SELECT id FROM users WHERE tenant_id = $1 AND username = $2', [tenantId, ADMIN])) ?? newId();
    await client.query(
      `INSERT INTO users (id, tenant_id, username, password_hash, role) VALUES ($1, $2, $3, $4, 'admin')
       ON CONFLICT (id) DO UPDATE SET password_hash = excluded.password_hash`,
      [userId, tenantId, ADMIN, await hashPassword(credentials.admin.password)],
    );
    await client.query(
      'INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [newId(), tenantId, userId, prefixOf(credentials.api_key), digest, KEY_NAME, [...SCOPES]],
    );
  }
  await ensureAgentKeys(client, credentials);
  await client.query('COMMIT');
  return isKnown || creates;
}

/** Creates the agent keys for the user of the operator's key. Revoked keys stay revoked. */
async function ensureAgentKeys(client: pg.Client, credentials: Credentials): Promise<void> {
  for (const { field, name, scopes } of AGENT_KEYS) {
    const value = credentials[field];
    await client.query(
      `INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes)
       SELECT $1, tenant_id, user_id, $2, $3, $4, $5 FROM api_keys WHERE key_sha256 = $6
       ON CONFLICT (key_sha256) DO NOTHING`,
      [newId(), prefixOf(value), keySha256(value), name, scopes, keySha256(credentials.api_key)],
    );
  }
}

/**
 * Creates the admin, the operator's key and the agent keys at the first start, and writes the keys to a file readable by the owner only. The
 * file is written first, so that the next start can create missing rows. A lost file is replaced by new keys. Returns false if the admin of an older file was erased:
 * that file opens nothing.
 */
export async function bootstrapIdentity(options: IdentityBootstrap): Promise<boolean> {
  const file = readJsonFile(options.credentialsPath, storedSchema);
  const stored = file.kind === 'value' ? file.value : null;
  const credentials = completed(stored, options.url);
  if (!isDeepStrictEqual(stored, credentials))
    writeFileAtomic(options.credentialsPath, `${JSON.stringify(credentials, null, 2)}\n`);
  return connected({ connectionString: options.maintenanceDatabaseUrl }, (client) =>
    ensureRows(client, credentials, stored === null),
  );
}
