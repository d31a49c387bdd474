import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { newId } from '../../domain/ids.ts';
import { keySha256, SCOPES } from '../../stores/postgres/api-keys.ts';
import { hashPassword } from '../../stores/postgres/password-hash.ts';
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
/** 256 bits each. */
const SECRET_BYTES = 32;
const KEY_PREFIX = 'rcl_';
const SHOWN_CHARS = 12;

const credentialsSchema = z.object({
  url: z.string(),
  api_key: z.string().min(20),
  admin: z.object({ username: z.string(), password: z.string().min(8) }),
});
type Credentials = z.output<typeof credentialsSchema>;

function makeCredentials(url: string): Credentials {
  const secret = () => randomBytes(SECRET_BYTES).toString('base64url');
  return { url, api_key: `${KEY_PREFIX}${secret()}`, admin: { username: ADMIN, password: secret() } };
}

/** The first row's id of a query that answers at most one. */
async function idOf(client: pg.Client, text: string, values: unknown[]): Promise<string | null> {
  const result = await client.query<{ id: string }>(text, values);
  return result.rows[0]?.id ?? null;
}

async function ensureRows(client: pg.Client, credentials: Credentials): Promise<void> {
  const digest = keySha256(credentials.api_key);
  await client.query('BEGIN');
  // Two starts at once must not make two admins.
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('recollect.identity', 0))");
  if ((await idOf(client, 'SELECT id FROM api_keys WHERE key_sha256 = $1 AND revoked_at IS NULL', [digest])) === null) {
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
      [userId, tenantId, ADMIN, hashPassword(credentials.admin.password)],
    );
    await client.query(
      'INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [newId(), tenantId, userId, credentials.api_key.slice(0, SHOWN_CHARS), digest, KEY_NAME, [...SCOPES]],
    );
  }
  await client.query('COMMIT');
}

/**
 * Makes the laptop's admin and local key at the first start and writes them to a file that only its owner can read. The file comes
 * first: whatever happens after it, the next start finds the same key and gives it its rows. A lost file is replaced by a new key.
 */
export async function bootstrapIdentity(options: IdentityBootstrap): Promise<void> {
  const stored = readJsonFile(options.credentialsPath, credentialsSchema);
  const credentials = stored.kind === 'value' ? { ...stored.value, url: options.url } : makeCredentials(options.url);
  if (stored.kind !== 'value' || stored.value.url !== options.url)
    writeFileAtomic(options.credentialsPath, `${JSON.stringify(credentials, null, 2)}\n`);
  const client = new pg.Client({ connectionString: options.maintenanceDatabaseUrl });
  await client.connect();
  try {
    await ensureRows(client, credentials);
  } finally {
    await client.end();
  }
}
