import type { FastifyReply, FastifyRequest } from 'fastify';
import { findLogin } from '../../stores/postgres/access/log-ins.ts';
import type { LoginUser } from '../../stores/postgres/access/log-ins.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { attemptProof } from './attempts.ts';
import { tooManyLogins } from './password-hashing.ts';
import { requireRing } from './signed-tokens.ts';
import { startUserSession } from './user-sessions.ts';

/** The same for an unknown user, a wrong password and a user without one. */
function wrongCredentials(): ApiError {
  return new ApiError('INVALID_CREDENTIALS', 'the name or the password is wrong');
}

/**
 * Logs a user in by a password. Returns the tokens of a new session; for a user with a second factor the token of the second step.
 * @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED, NOT_CONFIGURED
 */
export async function logIn(
  dependencies: ApiDependencies,
  given: { readonly login: string; readonly password: string; readonly tenant?: string | undefined },
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const { database, passwords, readKeyRing, signedTokens } = dependencies;
  requireRing(readKeyRing);
  // Before the attempt is booked: a flood shall not lock accounts that it does not name.
  if (passwords.isFull) throw tooManyLogins();
  const { login, password, tenant = null } = given;
  const user = await findLogin(database.pool, tenant, login);
  const account = user?.userId ?? JSON.stringify([tenant, login.toLowerCase()]);
  const isLast = ({ hasFactors }: LoginUser) => !hasFactors;
  const proven = await attemptProof(database.pool, { account, request, reply, isLast }, async () =>
    (await passwords.verify(user?.passwordHash ?? null, password)) ? user : null,
  );
  if (proven === null) {
    request.accused = user;
    throw wrongCredentials();
  }
  const { tenantId, userId, authVersion, hasFactors } = proven;
  if (!hasFactors)
    return startUserSession(
      dependencies,
      { tenantId, userId, authVersion, methods: ['password'], mfaAt: null },
      request,
      reply,
    );
  return {
    mfa_token: await signedTokens.issue('mfa', { sub: userId, tid: tenantId, av: authVersion }),
    expires_in: signedTokens.secondsOf('mfa'),
  };
}

/** Checks the password of the caller. @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED */
export async function provePassword(
  { database, passwords }: Pick<ApiDependencies, 'database' | 'passwords'>,
  {
    userId,
    passwordHash,
    password,
  }: { readonly userId: string; readonly passwordHash: string; readonly password: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (passwords.isFull) throw tooManyLogins();
  const isProven = await attemptProof(database.pool, { account: userId, request, reply }, async () =>
    (await passwords.verify(passwordHash, password)) ? true : null,
  );
  if (isProven === null) throw new ApiError('INVALID_CREDENTIALS', 'the current password is wrong');
}
