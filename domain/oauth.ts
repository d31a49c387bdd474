import { scopesOf } from './access.ts';
import type { Role, Scope } from './access.ts';

/** Scopes that an OAuth client may get. None captures or administers: clients use `/mcp` only. */
export const OAUTH_SCOPES = ['read', 'write'] as const satisfies readonly Scope[];
export type OauthScope = (typeof OAUTH_SCOPES)[number];

/** Returns the scopes that a user of this role may give to a client, of those that it requested. */
export function grantableScopes(role: Role, requested: string): OauthScope[] {
  const names = requested.split(' ');
  return OAUTH_SCOPES.filter((scope) => names.includes(scope) && scopesOf(role).includes(scope));
}
