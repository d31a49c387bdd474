import type pg from 'pg';
import { z } from 'zod';
import { LOGIN_METHODS, ROLES, scopesOf } from '../../../domain/access.ts';
import type { LoginMethod } from '../../../domain/access.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn, userColumn } from '../connection/rows.ts';
import type { Principal } from './principal.ts';
import { keySha256 } from './secrets.ts';

/** A session to be created. */
export interface SessionWish {
  readonly tenantId: TenantId;
  readonly userId: string;
  /** Version of the user's credentials that were proven: the session has ended if it is not the current one. */
  readonly authVersion: number;
  readonly methods: readonly LoginMethod[];
  /** Time of the proof of the first factor, if it was elsewhere; default: now. */
  readonly authenticatedAt?: Date;
  /** Time of the proof of a second factor, or of a passkey; null: none. */
  readonly mfaAt: Date | null;
  /** Null for a browser that has a cookie of the session itself. */
  readonly refreshToken: string | null;
  readonly browserToken?: string | null;
  /** The key that a browser signed in by. */
  readonly apiKeyId?: string;
  readonly expiresAt: Date;
  readonly address: string;
  readonly userAgent: string | null;
}

/** Creates a session with the first refresh token or the cookie of its browser; returns its id. */
export async function createUserSession(
  transaction: TenantTransaction,
  { refreshToken, browserToken = null, methods, authenticatedAt, ...wish }: SessionWish,
): Promise<string> {
  const id = newId();
  const now = new Date();
  await transaction.user.update({ where: { id: wish.userId }, data: { lastLoginAt: now }, select: { id: true } });
  await transaction.userSession.create({
    data: {
      id,
      ...wish,
      methods: [...methods],
      authenticatedAt: authenticatedAt ?? now,
      browserSha256: browserToken === null ? null : new Uint8Array(keySha256(browserToken)),
    },
  });
  if (refreshToken === null) return id;
  const tokenSha256 = new Uint8Array(keySha256(refreshToken));
  await transaction.refreshToken.create({ data: { tokenSha256, tenantId: wish.tenantId, sessionId: id } });
  return id;
}

/** Records the proof of a second factor, or of a passkey, in a session. */
export async function recordProof(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.userSession.updateMany({ where: { id: sessionId }, data: { mfaAt: new Date() } });
}

const principalRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: userColumn,
  role: z.enum(ROLES),
  is_operator: z.boolean(),
  auth_version: z.number(),
  authenticated_at: z.date(),
  mfa_at: z.date().nullable(),
  has_factors: z.boolean(),
});

/** A session that lasts: its principal, and the version of the user's credentials. */
export interface FoundSession {
  readonly principal: Principal;
  readonly authVersion: number;
}

/** Returns a session by its id; null if it has ended, or its user or tenant is not active. It has all scopes of the role of its user. */
export async function findUserSession(pool: pg.Pool, id: string): Promise<FoundSession | null> {
  const { rows } = await pool.query({
    name: 'find_user_session',
    text: 'SELECT id, tenant_id, user_id, role, is_operator, auth_version, authenticated_at, mfa_at, has_factors FROM find_user_session($1)',
    values: [id],
  });
  const [found] = z.array(principalRow).parse(rows);
  if (found === undefined) return null;
  const { tenantId, userId, role, isOperator, authVersion, ...login } = found;
  return {
    authVersion,
    principal: {
      credential: { kind: 'session', id: found.id },
      bounds: null,
      tenantId,
      userId,
      role,
      isOperator,
      scopes: scopesOf(role),
      expiresAt: null,
      requestsPerMinute: null,
      login: {
        sessionId: found.id,
        authenticatedAt: login.authenticatedAt,
        mfaAt: login.mfaAt,
        hasFactors: login.hasFactors,
        keyExpiresAt: null,
      },
    },
  };
}

const rotationRow = z.tuple([
  rowOf({
    outcome: z.enum(['rotated', 'repeated', 'reused', 'ended', 'unknown']),
    session_id: z.string().nullable(),
    tenant_id: tenantColumn.nullable(),
    user_id: z.string().nullable(),
    next_sha256: z.instanceof(Uint8Array).nullable(),
    expires_at: z.date().nullable(),
  }),
]);

/** Result of the use of a refresh token; null fields: no session has it. */
export type Rotation = z.output<typeof rotationRow>[0];

/** Replaces a refresh token by `next` (prisma/sql/functions/rotate_refresh_token.sql explains the outcomes). */
export async function rotateRefreshToken(
  pool: pg.Pool,
  tokens: { readonly token: string; readonly next: string },
  bounds: { readonly graceS: number; readonly idleS: number },
): Promise<Rotation> {
  const { rows } = await pool.query(
    'SELECT outcome, session_id, tenant_id, user_id, next_sha256, expires_at FROM rotate_refresh_token($1, $2, $3, $4)',
    [keySha256(tokens.token), keySha256(tokens.next), bounds.graceS, bounds.idleS],
  );
  return rotationRow.parse(rows)[0];
}

/** Returns the id of the session of a refresh token, current or used; null for an unknown one. */
export async function findRefreshSession(pool: pg.Pool, token: string): Promise<string | null> {
  const { rows } = await pool.query('SELECT find_refresh_session($1) AS id', [keySha256(token)]);
  return z.tuple([z.object({ id: z.string().nullable() })]).parse(rows)[0].id;
}

const listedRow = z.object({
  id: z.string(),
  methods: z.array(z.enum(LOGIN_METHODS)),
  createdAt: z.date(),
  lastUsedAt: z.date(),
  expiresAt: z.date(),
  mfaAt: z.date().nullable(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
});
export type ListedSession = z.output<typeof listedRow>;

/** Sessions shown to a user; older ones are not listed. */
const MOST_LISTED = 200;

/** Returns the sessions of a user that last, newest first. `idleMs`: a session without a refresh for so long has ended. */
export async function listUserSessions(
  transaction: TenantTransaction,
  userId: string,
  idleMs: number,
): Promise<ListedSession[]> {
  const { authVersion } = await transaction.user.findUniqueOrThrow({
    where: { id: userId },
    select: { authVersion: true },
  });
  const rows = await transaction.userSession.findMany({
    where: {
      userId,
      authVersion,
      endedAt: null,
      expiresAt: { gt: new Date() },
      lastUsedAt: { gt: new Date(Date.now() - idleMs) },
    },
    orderBy: { id: 'desc' },
    take: MOST_LISTED,
  });
  return z.array(listedRow).parse(rows);
}

/** Reasons for which a session ends before its time. */
export type EndReason = 'logout' | 'ended' | 'replaced';

/** Ends sessions of a user: one, or all but `exceptId`. Returns their number; ended ones are unchanged. */
export async function endUserSessions(
  transaction: TenantTransaction,
  userId: string,
  which: { readonly id: string } | { readonly exceptId: string | null },
  endReason: EndReason,
): Promise<number> {
  const id = 'id' in which ? which.id : which.exceptId === null ? undefined : { not: which.exceptId };
  const { count } = await transaction.userSession.updateMany({
    where: { userId, endedAt: null, ...(id !== undefined && { id }) },
    data: { endedAt: new Date(), endReason },
  });
  return count;
}
