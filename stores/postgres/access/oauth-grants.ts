import { z } from 'zod';
import { ROLES, SCOPES } from '../../../domain/access.ts';
import type { Scope } from '../../../domain/access.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn, userColumn } from '../connection/rows.ts';
import { keySha256 } from './secrets.ts';

const GRANT_DAYS = 180;
/** The last use of a grant is recorded at most this often. */
const USE_MS = 3_600_000;

/** Who ended a grant: its user or an admin, or the authorization server, because the client revoked its token or a used code or token came again. */
export type GrantEnd = 'revoked' | 'client' | 'reuse';

const grantRow = z
  .object({
    id: z.string(),
    userId: z.string(),
    user: z.object({ username: z.string() }),
    clientId: z.string(),
    clientName: z.string().nullable(),
    clientHost: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    createdAt: z.date(),
    lastUsedAt: z.date().nullable(),
    expiresAt: z.date(),
    endedAt: z.date().nullable(),
    endReason: z.string().nullable(),
  })
  .transform(({ user, ...grant }) => ({ ...grant, username: user.username }));

/** A grant: the access of an OAuth client for a user. */
export type StoredGrant = z.output<typeof grantRow>;

const WITH_USER = { user: { select: { username: true } } } as const;

/** A grant to be created. */
export interface GrantWish {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly clientId: string;
  readonly clientName: string | null;
  readonly clientHost: string;
  readonly scopes: readonly Scope[];
}

/** Creates a grant. Returns its id and its end. */
export async function createGrant(
  transaction: TenantTransaction,
  { scopes, ...wish }: GrantWish,
): Promise<{ readonly id: string; readonly expiresAt: Date }> {
  const id = newId();
  const expiresAt = new Date(Date.now() + GRANT_DAYS * 86_400_000);
  await transaction.oauthGrant.create({ data: { id, ...wish, scopes: [...scopes], expiresAt } });
  return { id, expiresAt };
}

/** Returns a page of grants, newest first, and their number. `ended`: include ended and expired ones. */
export async function listGrants(
  transaction: TenantTransaction,
  {
    userId,
    ended,
    page,
    limit,
  }: {
    readonly userId: string | undefined;
    readonly ended: boolean;
    readonly page: number;
    readonly limit: number;
  },
): Promise<{ rows: StoredGrant[]; total: number }> {
  const where = {
    ...(userId !== undefined && { userId }),
    ...(!ended && { endedAt: null, expiresAt: { gt: new Date() } }),
  };
  const rows = await transaction.oauthGrant.findMany({
    where,
    orderBy: { id: 'desc' },
    skip: (page - 1) * limit,
    take: limit,
    include: WITH_USER,
  });
  return { rows: z.array(grantRow).parse(rows), total: await transaction.oauthGrant.count({ where }) };
}

/** Returns a grant of the tenant; null if there is none with this id. */
export async function readGrant(transaction: TenantTransaction, id: string): Promise<StoredGrant | null> {
  return grantRow.nullable().parse(await transaction.oauthGrant.findUnique({ where: { id }, include: WITH_USER }));
}

/** Ends a grant with all its tokens. An ended one is unchanged. */
export async function endGrant(transaction: TenantTransaction, id: string, endReason: GrantEnd): Promise<void> {
  await transaction.oauthGrant.updateMany({ where: { id, endedAt: null }, data: { endedAt: new Date(), endReason } });
}

const liveRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: z.string(),
  client_id: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.date(),
  expires_at: z.date(),
});
/** A grant that works. */
export type LiveGrant = z.output<typeof liveRow>;

/** Returns a grant while it works; null for one that is unknown, ended or expired, or whose user or tenant is not active. */
export async function findGrant({ pool }: Database, id: string): Promise<LiveGrant | null> {
  if (!z.uuid().safeParse(id).success) return null;
  const { rows } = await pool.query(
    'SELECT id, tenant_id, user_id, client_id, scopes, created_at, expires_at FROM find_oauth_grant($1)',
    [id],
  );
  return z.array(liveRow).parse(rows)[0] ?? null;
}

const tokenRow = rowOf({
  grant_id: z.string(),
  tenant_id: tenantColumn,
  user_id: userColumn,
  role: z.enum(ROLES),
  scopes: z.array(z.enum(SCOPES)),
  audience: z.string(),
  expires_at: z.date(),
  last_used_at: z.date().nullable(),
});
/** An access token that works. */
export type LiveToken = z.output<typeof tokenRow>;

/** Returns what an access token gives; null for one that is unknown or expired, or whose grant does not work. */
export async function findToken({ pool }: Database, token: string): Promise<LiveToken | null> {
  const { rows } = await pool.query({
    name: 'find_oauth_token',
    text: 'SELECT grant_id, tenant_id, user_id, role, scopes, audience, expires_at, last_used_at FROM find_oauth_token($1)',
    values: [keySha256(token)],
  });
  return z.array(tokenRow).parse(rows)[0] ?? null;
}

/** Records that a grant was used, at most once an hour. */
export async function recordGrantUse(
  database: Database,
  { tenantId, grantId, lastUsedAt }: Pick<LiveToken, 'tenantId' | 'grantId' | 'lastUsedAt'>,
): Promise<void> {
  const before = new Date(Date.now() - USE_MS);
  if (lastUsedAt !== null && lastUsedAt >= before) return;
  await database.asTenant(tenantId, (transaction) =>
    transaction.oauthGrant.updateMany({
      where: { id: grantId, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: before } }] },
      data: { lastUsedAt: new Date() },
    }),
  );
}
