import { findKey, recordUse } from '../stores/postgres/access/api-keys.ts';
import { findBrowserSession, recordBrowserUse } from '../stores/postgres/access/browser-sessions.ts';
import { findToken, recordGrantUse } from '../stores/postgres/access/oauth-grants.ts';
import type { Principal } from '../stores/postgres/access/principal.ts';
import { BROWSER_TOKEN_PREFIX, OAUTH_TOKEN_PREFIX } from '../stores/postgres/access/secrets.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SignedTokens } from './login/signed-tokens.ts';
import { findByAccessToken } from './login/user-sessions.ts';

/** A JSON Web Token: three parts. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether a bearer token has the form of the access token of a session. */
export function isAccessToken(token: string): boolean {
  return JWT_FORM.test(token);
}

interface FindPrincipalOptions {
  readonly database: Database;
  /** Audience of the access tokens of OAuth clients; null: there are none. */
  readonly resource: string | null;
  readonly signedTokens: SignedTokens;
  /** Time without use after which the session of a browser has ended. */
  readonly idleMs: number;
  readonly logger: Logger;
}

/** Returns the principal of the cookie of a browser; null for one whose session has ended. */
async function findByCookie(
  { database, idleMs, logger }: FindPrincipalOptions,
  token: string,
): Promise<Principal | null> {
  const found = await findBrowserSession(database.pool, token, idleMs);
  if (found === null) return null;
  const { principal, sessionId, lastUsedAt } = found;
  recordBrowserUse(database, principal.tenantId, sessionId, lastUsedAt).catch((error: unknown) =>
    logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the use of a cookie was not recorded'),
  );
  return principal;
}

/** Returns the principal of an access token of an OAuth client; null for one that does not work or is for another resource. */
async function findByGrant(
  { database, resource, logger }: FindPrincipalOptions,
  token: string,
): Promise<Principal | null> {
  const found = resource === null ? null : await findToken(database, token);
  if (found === null || found.audience !== resource) return null;
  recordGrantUse(database, found).catch((error: unknown) =>
    logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the use of a grant was not recorded'),
  );
  const { grantId, tenantId, userId, role, scopes, expiresAt } = found;
  const none = { requestsPerMinute: null, bounds: null, isOperator: false, login: null };
  return { credential: { kind: 'grant', id: grantId }, tenantId, userId, role, scopes, expiresAt, ...none };
}

/** Returns the look-up of keys and tokens by their form. It returns null for a token that is not valid, and records the use of a key without waiting. */
export function createFindPrincipal(options: FindPrincipalOptions) {
  const { database, signedTokens, logger } = options;
  return async (token: string): Promise<Principal | null> => {
    if (isAccessToken(token)) return findByAccessToken({ database, signedTokens }, token);
    if (token.startsWith(BROWSER_TOKEN_PREFIX)) return findByCookie(options, token);
    if (token.startsWith(OAUTH_TOKEN_PREFIX)) return findByGrant(options, token);
    const found = await findKey(database.pool, token);
    if (found === null) return null;
    const { principal, lastUsedAt } = found;
    recordUse(database, principal.tenantId, principal.credential.id, lastUsedAt).catch((error: unknown) =>
      logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the use of a key was not recorded'),
    );
    return principal;
  };
}
