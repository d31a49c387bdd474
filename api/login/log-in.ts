import type { FastifyReply, FastifyRequest } from 'fastify';
import { asId } from '../../domain/ids.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import { findLogin } from '../../stores/postgres/access/log-ins.ts';
import type { LoginUser } from '../../stores/postgres/access/log-ins.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { attemptProof } from './attempts.ts';
import { requireFactor } from './factors.ts';
import type { GivenCode } from './factors.ts';
import { tooManyLogins } from './password-hashing.ts';
import { requireRing } from './signed-tokens.ts';
import { sessionEnded, startUserSession } from './user-sessions.ts';
import type { ProvenUser, TokenAnswer } from './user-sessions.ts';

/** Continues a log-in whose password was right. */
interface SecondStep {
  readonly mfa_token: string;
  /** Seconds. */
  readonly expires_in: number;
}

/** The same for an unknown user, a wrong password and a user without one. */
function wrongCredentials(): ApiError {
  return new ApiError('INVALID_CREDENTIALS', 'the name or the password is wrong');
}

/** What a user enters to log in. */
interface LoginInput {
  readonly login: string;
  readonly password: string;
  readonly tenant?: string | undefined;
}

/**
 * Returns the user of a name and a password; for a user with a second factor the token of the second step.
 * @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED, NOT_CONFIGURED
 */
export async function proveByPassword(
  dependencies: ApiDependencies,
  given: LoginInput,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<ProvenUser | SecondStep> {
  const { database, passwords, readKeyRing, signedTokens } = dependencies;
  requireRing(readKeyRing);
  // Before the attempt is booked: a burst shall not lock accounts that it does not name.
  if (passwords.isFull) throw tooManyLogins();
  const { login, password, tenant = null } = given;
  const { account, user } = await findLogin(database.pool, tenant, login);
  const isLast = ({ hasFactors }: LoginUser) => !hasFactors;
  const attempt = { account, userId: user?.userId ?? null, request, reply, isLast };
  const proven = await attemptProof(dependencies, attempt, async () =>
    (await passwords.verify(user?.passwordHash ?? null, password)) ? user : null,
  );
  if (proven === null) {
    request.accused = user;
    throw wrongCredentials();
  }
  const { tenantId, userId, authVersion, hasFactors } = proven;
  if (!hasFactors) return { tenantId, userId, authVersion, methods: ['password'], mfaAt: null };
  return {
    mfa_token: await signedTokens.issue('mfa', { sub: userId, tid: tenantId, av: authVersion }),
    expires_in: signedTokens.secondsOf('mfa'),
  };
}

/**
 * Logs a user in by a password. Returns the tokens of a new session; for a user with a second factor the token of the second step.
 * @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED, NOT_CONFIGURED
 */
export async function logIn(
  dependencies: ApiDependencies,
  given: LoginInput,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<TokenAnswer | SecondStep> {
  const proven = await proveByPassword(dependencies, given, request, reply);
  return 'mfa_token' in proven ? proven : startUserSession(dependencies, proven, request, reply);
}

/**
 * Returns the user of a log-in whose password was right, by the second step.
 * @throws ApiError INVALID_TOKEN, INVALID_CREDENTIALS, RATE_LIMITED
 */
export async function proveBySecondStep(
  dependencies: ApiDependencies,
  token: string,
  given: GivenCode,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<ProvenUser> {
  const verified = await dependencies.signedTokens.verify('mfa', token);
  if (verified === null) throw sessionEnded();
  const { sub, tid, av: authVersion } = verified.claims;
  const user = { tenantId: asId<TenantId>(tid), userId: asId<UserId>(sub) };
  request.accused = user;
  const method = await requireFactor(dependencies, user, given, request, reply);
  request.accused = null;
  return { ...user, authVersion, methods: ['password', method], mfaAt: new Date() };
}

/** Checks the password of the caller. @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED */
export async function provePassword(
  dependencies: Pick<ApiDependencies, 'database' | 'metrics' | 'passwords'>,
  {
    userId,
    passwordHash,
    password,
  }: { readonly userId: string; readonly passwordHash: string; readonly password: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { passwords } = dependencies;
  if (passwords.isFull) throw tooManyLogins();
  const isProven = await attemptProof(dependencies, { account: userId, userId, request, reply }, async () =>
    (await passwords.verify(passwordHash, password)) ? true : null,
  );
  if (isProven === null) throw new ApiError('INVALID_CREDENTIALS', 'the current password is wrong');
}
