import type pg from 'pg';
import { z } from 'zod';
import { LOGIN_METHODS, ROLES, SCOPES, scopesOf } from '../../../domain/access.ts';
import type { LoginMethod } from '../../../domain/access.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn, userColumn } from '../connection/rows.ts';
import { boundsOf } from './api-keys.ts';
import type { Principal } from './principal.ts';
import { keySha256 } from './secrets.ts';

/** The last use of a session by its cookie is recorded at most this often: far below the shortest idle time, an hour. */
const USE_MS = 300_000;

const browserRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: userColumn,
  role: z.enum(ROLES),
  is_operator: z.boolean(),
  authenticated_at: z.date(),
  mfa_at: z.date().nullable(),
  has_factors: z.boolean(),
  expires_at: z.date(),
  last_used_at: z.date(),
  key_id: z.string().nullable(),
  key_expires_at: z.date().nullable(),
  scopes: z.array(z.enum(SCOPES)).nullable(),
  requests_per_minute: z.number().nullable(),
  namespaces: z.array(z.string()).nullable(),
  projects: z.array(z.string()).nullable(),
});

/** The session of a cookie: its principal, and its last recorded use. */
interface FoundBrowserSession {
  readonly principal: Principal;
  readonly sessionId: string;
  readonly lastUsedAt: Date;
}

/**
 * Returns the session of the cookie of a browser; null if it has ended. A session that a key began has the credential, the scopes and the bounds of the key.
 * Its only proof is the sign-in: the factors of the user are not involved.
 */
export async function findBrowserSession(
  pool: pg.Pool,
  token: string,
  idleMs: number,
): Promise<FoundBrowserSession | null> {
  const { rows } = await pool.query({
    name: 'find_browser_session',
    text: 'SELECT id, tenant_id, user_id, role, is_operator, authenticated_at, mfa_at, has_factors, expires_at, last_used_at, key_id, key_expires_at, scopes, requests_per_minute, namespaces, projects FROM find_browser_session($1, $2)',
    values: [keySha256(token), Math.round(idleMs / 1_000)],
  });
  const [found] = z.array(browserRow).parse(rows);
  if (found === undefined) return null;
  const { id, tenantId, userId, role, isOperator, expiresAt, requestsPerMinute, keyId, authenticatedAt } = found;
  const isOfKey = keyId !== null;
  return {
    sessionId: id,
    lastUsedAt: found.lastUsedAt,
    principal: {
      credential: isOfKey ? { kind: 'key', id: keyId } : { kind: 'session', id },
      tenantId,
      userId,
      role,
      isOperator,
      scopes: found.scopes ?? scopesOf(role),
      bounds: boundsOf(found.namespaces ?? [], found.projects ?? []),
      expiresAt,
      requestsPerMinute,
      login: {
        sessionId: id,
        authenticatedAt,
        mfaAt: isOfKey ? null : found.mfaAt,
        hasFactors: !isOfKey && found.hasFactors,
        keyExpiresAt: found.keyExpiresAt,
      },
    },
  };
}

/** Records that the cookie of a session was used, at most every five minutes; several processes may use it at once. */
export async function recordBrowserUse(
  database: Database,
  tenantId: TenantId,
  sessionId: string,
  lastUsedAt: Date,
): Promise<void> {
  const before = new Date(Date.now() - USE_MS);
  if (lastUsedAt >= before) return;
  await database.asTenant(tenantId, (transaction) =>
    transaction.userSession.updateMany({
      where: { id: sessionId, lastUsedAt: { lt: before } },
      data: { lastUsedAt: new Date() },
    }),
  );
}

/** Gives the session of a log-in to a browser with this cookie; an earlier cookie of it and its refresh tokens end. Returns false if the session has ended. */
export async function giveToBrowser(
  transaction: TenantTransaction,
  sessionId: string,
  token: string,
): Promise<boolean> {
  const { count } = await transaction.userSession.updateMany({
    where: { id: sessionId, endedAt: null },
    data: { browserSha256: new Uint8Array(keySha256(token)), lastUsedAt: new Date() },
  });
  // Used ones, too: another tab that refreshes at this moment has one, and is no thief.
  await transaction.refreshToken.deleteMany({ where: { sessionId } });
  return count > 0;
}

/** Returns how the user of a session proved to be that user. */
export async function methodsOf(transaction: TenantTransaction, sessionId: string): Promise<LoginMethod[]> {
  const session = await transaction.userSession.findUnique({ where: { id: sessionId }, select: { methods: true } });
  return z.array(z.enum(LOGIN_METHODS)).parse(session?.methods ?? []);
}
