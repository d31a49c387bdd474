import { createHmac, hkdfSync } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LoginMethod } from '../../domain/access.ts';
import type { KeyRing } from '../../domain/sealing.ts';
import { asId } from '../../domain/ids.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { keySha256, newBrowserToken, newRefreshToken } from '../../stores/postgres/access/secrets.ts';
import {
  createUserSession,
  endUserSessions,
  findRefreshSession,
  findUserSession,
  rotateRefreshToken,
} from '../../stores/postgres/access/user-sessions.ts';
import type { FoundSession, Rotation, SessionWish } from '../../stores/postgres/access/user-sessions.ts';
import type { RefreshResult } from '../../telemetry/api-metrics.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { redacted } from '../memories/hand-written.ts';
import { clearRefreshCookie, readRefreshCookie, setRefreshCookie } from './refresh-cookie.ts';
import { requireRing } from './signed-tokens.ts';

/** Time in which a lost answer of a refresh can be requested again. */
const GRACE_S = 10;
const LONGEST_AGENT = 200;
/** Results of refreshes by outcome. */
const RESULTS: Readonly<Record<Rotation['outcome'], RefreshResult>> = {
  rotated: 'rotated',
  repeated: 'repeated',
  reused: 'reused',
  ended: 'refused',
  unknown: 'refused',
};

/** A user who proved to be that user, and how. */
export type ProvenUser = Pick<
  SessionWish,
  'tenantId' | 'userId' | 'authVersion' | 'methods' | 'authenticatedAt' | 'mfaAt'
>;

/** Body of the answer that contains an access token. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  /** Seconds. */
  readonly expires_in: number;
  readonly session_id: string;
}

/** What a session needs of the api. */
type Needs = Pick<
  ApiDependencies,
  'browserCookie' | 'database' | 'signedTokens' | 'readKeyRing' | 'config' | 'metrics'
>;

/** Returns what a session records of the client of a request. */
export function clientOf({ ip, headers }: FastifyRequest): Pick<SessionWish, 'address' | 'userAgent'> {
  return { address: ip, userAgent: redacted((headers['user-agent'] ?? '').slice(0, LONGEST_AGENT)) || null };
}

/** @throws ApiError INVALID_TOKEN */
export function sessionEnded(): ApiError {
  return new ApiError('INVALID_TOKEN', 'the session has ended or the token is not valid: log in again');
}

async function answerFor({ signedTokens }: Needs, { principal, authVersion }: FoundSession): Promise<TokenAnswer> {
  const { credential, tenantId, userId, role } = principal;
  const claims = { sub: userId, tid: tenantId, sid: credential.id, role, av: authVersion };
  return {
    access_token: await signedTokens.issue('access', claims),
    token_type: 'Bearer',
    expires_in: signedTokens.secondsOf('access'),
    session_id: credential.id,
  };
}

/**
 * Starts a session of a user who proved to be that user: the only place that does. Sets the refresh cookie, or the cookie of a browser that sent one, and the principal
 * of the request, and returns the body of the answer. The session and its tokens are new, whatever the request contained; the session `replaced` ends with their
 * creation.
 * @throws ApiError NOT_CONFIGURED, INVALID_TOKEN if the replaced one has ended, INVALID_CREDENTIALS if the user is not active any more or the credentials changed meanwhile
 */
export async function startUserSession(
  needs: Needs,
  user: ProvenUser,
  request: FastifyRequest,
  reply: FastifyReply,
  replaced: string | null = null,
): Promise<TokenAnswer> {
  requireRing(needs.readKeyRing);
  const hasCookie = request.browserToken !== null;
  const refreshToken = hasCookie ? null : newRefreshToken();
  const browserToken = hasCookie ? newBrowserToken() : null;
  const expiresAt = new Date(Date.now() + needs.config.login.sessionMs);
  const id = await needs.database.asTenant(user.tenantId, async (transaction) => {
    if (replaced !== null && (await endUserSessions(transaction, user.userId, { id: replaced }, 'replaced')) === 0)
      throw sessionEnded();
    return createUserSession(transaction, { ...user, refreshToken, browserToken, expiresAt, ...clientOf(request) });
  });
  const session = await findUserSession(needs.database.pool, id);
  if (session === null) throw new ApiError('INVALID_CREDENTIALS', 'the user is not active, or the credentials changed');
  const answer = await answerFor(needs, session);
  request.principal = session.principal;
  request.startedSession = { tenantId: user.tenantId, userId: session.principal.userId, id };
  if (refreshToken !== null) setRefreshCookie(reply, refreshToken, expiresAt);
  if (browserToken !== null) await needs.browserCookie.set(request, reply, browserToken, expiresAt);
  return answer;
}

/**
 * Replaces the session of a request by a new one after another proof: its id and tokens change, so that older ones are worth nothing.
 * @throws ApiError INVALID_TOKEN if it has ended, INVALID_CREDENTIALS if the credentials changed meanwhile
 */
export async function replaceUserSession(
  needs: Needs,
  { tenantId, userId, credential }: Principal,
  methods: readonly LoginMethod[],
  mfaAt: Date | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<TokenAnswer> {
  const session = await findUserSession(needs.database.pool, credential.id);
  if (session === null) throw sessionEnded();
  const proven = { tenantId, userId, authVersion: session.authVersion, methods, mfaAt };
  return startUserSession(needs, proven, request, reply, credential.id);
}

/** Returns the principal of an access token; null if it is not valid, or does not describe its user any more. */
export async function findByAccessToken(
  { database, signedTokens }: Pick<Needs, 'database' | 'signedTokens'>,
  token: string,
): Promise<Principal | null> {
  const verified = await signedTokens.verify('access', token);
  if (verified === null) return null;
  const { sid, sub, tid, role, av } = verified.claims;
  const session = await findUserSession(database.pool, sid);
  if (session === null || session.authVersion !== av) return null;
  // A token that does not describe its user any more is replaced by a refresh.
  const { userId, tenantId, role: current } = session.principal;
  if (userId !== sub || tenantId !== tid || current !== role) return null;
  return { ...session.principal, expiresAt: verified.expiresAt };
}

/** Ends the session of a refresh token, current or used. Returns the number of sessions that ended. */
export async function endByRefreshToken(
  { database }: Pick<Needs, 'database'>,
  token: string,
  request: FastifyRequest,
): Promise<number> {
  const sessionId = await findRefreshSession(database.pool, token);
  const session = sessionId === null ? null : await findUserSession(database.pool, sessionId);
  if (session === null) return 0;
  const { principal } = session;
  request.principal = principal;
  return database.asTenant(principal.tenantId, (transaction) =>
    endUserSessions(transaction, principal.userId, { id: principal.credential.id }, 'logout'),
  );
}

/** Returns the successor of a refresh token by each key: only this instance can compute it. */
function successorsOf(ring: KeyRing, token: string): [string, ...string[]] {
  const successor = (key: Uint8Array): string => {
    const secret = Buffer.from(hkdfSync('sha256', key, '', 'recollect refresh 1', 32));
    return `rcr_${createHmac('sha256', secret).update(token).digest('base64url')}`;
  };
  const [first, ...rest] = ring;
  return [successor(first.key), ...rest.map(({ key }) => successor(key))];
}

/**
 * Replaces the refresh token of the cookie by its successor and returns a new access token.
 * @throws ApiError FORBIDDEN, NOT_CONFIGURED, INVALID_TOKEN; a token that was used before ends its session
 */
export async function refreshUserSession(
  needs: Needs,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<TokenAnswer> {
  const ring = requireRing(needs.readKeyRing);
  const token = readRefreshCookie(request, needs.config.http.publicUrl);
  if (token === null) throw new ApiError('UNAUTHENTICATED', 'this route needs the cookie of a log-in');
  const successors = successorsOf(ring, token);
  const { pool } = needs.database;
  const bounds = { graceS: GRACE_S, idleS: Math.round(needs.config.login.idleMs / 1_000) };
  const used = await rotateRefreshToken(pool, { token, next: successors[0] }, bounds);
  const { outcome, sessionId, tenantId, userId, nextSha256, expiresAt } = used;
  needs.metrics.authRefresh.inc({ result: RESULTS[outcome] });
  // The audit log names the user whose token is in other hands.
  if (outcome === 'reused' && tenantId !== null && userId !== null)
    request.accused = { tenantId, userId: asId<UserId>(userId) };
  const next = nextSha256 === null ? undefined : successors.find((each) => keySha256(each).equals(nextSha256));
  const session = next === undefined || sessionId === null ? null : await findUserSession(pool, sessionId);
  if (session === null || next === undefined || expiresAt === null) {
    clearRefreshCookie(reply);
    throw sessionEnded();
  }
  const answer = await answerFor(needs, session);
  setRefreshCookie(reply, next, expiresAt);
  return answer;
}
