import { hash } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn, userColumn } from '../connection/rows.ts';

const loginRow = rowOf({
  tenant_id: tenantColumn,
  user_id: userColumn,
  username: z.string(),
  /** Null: has no password. */
  password_hash: z.string().nullable(),
  auth_version: z.number(),
  has_factors: z.boolean(),
});

/** An active user who may log in. */
export type LoginUser = z.output<typeof loginRow>;

const accountRow = z.tuple([z.object({ account: z.string(), user_id: z.string().nullable() }).loose()]);

/**
 * Returns the active user of a name or email address in a tenant (null: that of the operators), null if there is none; and `account`, which names the account of known
 * and unknown users alike.
 */
export async function findLogin(
  pool: pg.Pool,
  tenant: string | null,
  login: string,
): Promise<{ readonly account: string; readonly user: LoginUser | null }> {
  const { rows } = await pool.query({
    name: 'find_login',
    text: 'SELECT account, tenant_id, user_id, username, password_hash, auth_version, has_factors FROM find_login($1, $2)',
    values: [tenant, login],
  });
  const [row] = accountRow.parse(rows);
  return { account: row.account, user: row.user_id === null ? null : loginRow.parse(row) };
}

/** An attempt to prove to be the user of an account. */
export interface Attempt {
  /** Id of the user; of a log-in by password the name that was given, so that the attempts do not reveal whether it is known. */
  readonly account: string;
  /** Id of the user, who may know the address from earlier log-ins; null: unknown. */
  readonly userId: string | null;
  /** Address, or network of IPv6. */
  readonly network: string;
}

const HASH_CHARS = 32;

/** Returns the buckets that count an attempt: hashes, so that the table contains no names and addresses. */
function bucketsOf({ account, userId, network }: Attempt): string[] {
  const bucket = (kind: string, ...parts: string[]): string =>
    `${kind}:${hash('sha256', JSON.stringify(parts), 'base64url').slice(0, HASH_CHARS)}`;
  return [
    bucket('pair', account, network),
    bucket('account', account),
    bucket('address', network),
    bucket('known', userId ?? account, network),
  ];
}

const waitRow = z.tuple([z.object({ wait_s: z.number() })]);

/** Books an attempt. Returns the seconds to wait before it may be made; 0: it is booked (prisma/sql/functions/book_attempt.sql). */
export async function bookAttempt(pool: pg.Pool, attempt: Attempt): Promise<number> {
  const { rows } = await pool.query('SELECT book_attempt($1, $2, $3, $4) AS wait_s', bucketsOf(attempt));
  return waitRow.parse(rows)[0].wait_s;
}

/** Takes back an attempt that succeeded. `completes`: no other proof follows (prisma/sql/functions/clear_attempt.sql). */
export async function clearAttempt(pool: pg.Pool, attempt: Attempt, completes: boolean): Promise<void> {
  await pool.query('SELECT clear_attempt($1, $2, $3, $4, $5)', [...bucketsOf(attempt), completes]);
}

/** Returns the password hash of a user, null if there is none, the version of the credentials, and the names of the user. */
export async function readPassword(
  transaction: TenantTransaction,
  userId: string,
): Promise<{
  readonly passwordHash: string | null;
  readonly authVersion: number;
  readonly username: string;
  readonly email: string | null;
}> {
  return transaction.user.findUniqueOrThrow({
    where: { id: userId },
    select: { passwordHash: true, authVersion: true, username: true, email: true },
  });
}

/**
 * Sets the password of a user, if the credentials still have this version; returns the new version, which ends all sessions of the user. Null if
 * another request changed them.
 */
export async function setPassword(
  transaction: TenantTransaction,
  userId: string,
  { passwordHash, authVersion }: { readonly passwordHash: string; readonly authVersion: number },
): Promise<number | null> {
  const { count } = await transaction.user.updateMany({
    where: { id: userId, authVersion },
    data: { passwordHash, authVersion: { increment: 1 } },
  });
  return count === 1 ? authVersion + 1 : null;
}
