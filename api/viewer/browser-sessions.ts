import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { browserAnswer } from '../../contract/browser.ts';
import type { LoginMethod } from '../../domain/access.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import { findBrowserSession, giveToBrowser } from '../../stores/postgres/access/browser-sessions.ts';
import { authVersionOf } from '../../stores/postgres/access/identities.ts';
import { readKey } from '../../stores/postgres/access/key-changes.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { newBrowserToken } from '../../stores/postgres/access/secrets.ts';
import { createUserSession, endUserSessions } from '../../stores/postgres/access/user-sessions.ts';
import type { EndReason } from '../../stores/postgres/access/user-sessions.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { clearRefreshCookie } from '../login/refresh-cookie.ts';
import { clientOf, sessionEnded } from '../login/user-sessions.ts';

type Needs = Pick<ApiDependencies, 'browserCookie' | 'config' | 'database'>;

/** A key by which a browser signs in. */
export interface SigningKey {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly keyId: string;
}

function hasEnded(): ApiError {
  return new ApiError('INVALID_CREDENTIALS', 'the key or the session has ended: sign in again');
}

/** Returns the answer for a browser that has the cookie now, which is set. @throws ApiError INVALID_CREDENTIALS if the session ended meanwhile */
async function answerFor(
  { browserCookie, config, database }: Needs,
  token: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<z.output<typeof browserAnswer>> {
  const found = await findBrowserSession(database.pool, token, config.login.idleMs);
  const expiresAt = found?.principal.expiresAt ?? null;
  if (found === null || expiresAt === null) throw hasEnded();
  request.principal = found.principal;
  const { tenantId, userId } = found.principal;
  request.startedSession = { tenantId, userId, id: found.sessionId };
  await browserCookie.set(request, reply, token, expiresAt);
  return { session_id: found.sessionId, expires_at: expiresAt.toISOString() };
}

/** Signs a browser in by a key: its session has the rights of the key, and ends with it. @throws ApiError INVALID_CREDENTIALS */
export async function startKeySession(
  needs: Needs,
  { tenantId, userId, keyId }: SigningKey,
  method: LoginMethod,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<z.output<typeof browserAnswer>> {
  const browserToken = newBrowserToken();
  await needs.database.asTenant(tenantId, async (transaction) => {
    // An erasure deletes keys.
    if ((await readKey(transaction, keyId)) === null) throw hasEnded();
    await createUserSession(transaction, {
      tenantId,
      userId,
      authVersion: await authVersionOf(transaction, userId),
      methods: [method],
      mfaAt: null,
      refreshToken: null,
      browserToken,
      apiKeyId: keyId,
      expiresAt: new Date(Date.now() + needs.config.login.sessionMs),
      ...clientOf(request),
    });
  });
  return answerFor(needs, browserToken, request, reply);
}

/** Gives the session of a log-in to the browser; its refresh tokens end. @throws ApiError INVALID_TOKEN, INVALID_CREDENTIALS */
export async function giveSession(
  needs: Needs,
  { tenantId, credential }: Principal,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<z.output<typeof browserAnswer>> {
  const token = newBrowserToken();
  const isGiven = await needs.database.asTenant(tenantId, (transaction) =>
    giveToBrowser(transaction, credential.id, token),
  );
  if (!isGiven) throw sessionEnded();
  clearRefreshCookie(reply);
  return answerFor(needs, token, request, reply);
}

/** Ends the session of a cookie, unless it is `exceptId`. Returns the number of sessions that ended, and the principal; null if it had ended. */
export async function endBrowserSession(
  { config, database }: Needs,
  token: string,
  reason: EndReason,
  exceptId: string | null = null,
): Promise<{ readonly ended: number; readonly principal: Principal | null }> {
  const found = await findBrowserSession(database.pool, token, config.login.idleMs);
  if (found === null || found.sessionId === exceptId) return { ended: 0, principal: null };
  const { tenantId, userId } = found.principal;
  const ended = await database.asTenant(tenantId, (transaction) =>
    endUserSessions(transaction, userId, { id: found.sessionId }, reason),
  );
  return { ended, principal: found.principal };
}
