import { findKey, recordUse } from '../stores/postgres/access/api-keys.ts';
import type { Principal } from '../stores/postgres/access/principal.ts';
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
  readonly signedTokens: SignedTokens;
  readonly logger: Logger;
}

/** Returns the look-up of bearer tokens by their form. It returns null for a token that is not valid, and records the use of a key without waiting. */
export function createFindPrincipal({ database, signedTokens, logger }: FindPrincipalOptions) {
  return async (token: string): Promise<Principal | null> => {
    if (isAccessToken(token)) return findByAccessToken({ database, signedTokens }, token);
    const found = await findKey(database.pool, token);
    if (found === null) return null;
    const { principal, lastUsedAt } = found;
    recordUse(database, principal.tenantId, principal.credential.id, lastUsedAt).catch((error: unknown) =>
      logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the use of a key was not recorded'),
    );
    return principal;
  };
}
