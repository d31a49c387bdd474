/** Roles of users and scopes of their keys, and which scopes a role may have. A right needs both (docs/adr/0034). */

export const ROLES = ['admin', 'user', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

export const SCOPES = ['capture', 'read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** How a request is authenticated: an API key, the session of a log-in, or the grant of an application. */
export const CREDENTIAL_KINDS = ['key', 'session', 'grant'] as const;

/** Proofs that a user gave at a log-in; of a browser that signed in without one, the key, or the code that a key was exchanged for. */
export const LOGIN_METHODS = ['password', 'totp', 'recovery', 'passkey', 'oidc', 'key', 'code'] as const;
export type LoginMethod = (typeof LOGIN_METHODS)[number];

/** Namespaces and projects (ids) that a key is bound to: it reads and writes nothing outside. An empty list binds to nothing. */
export interface Bounds {
  readonly namespaces: readonly string[];
  readonly projects: readonly string[];
}

/**
 * Keys for agents, with fewer scopes than their user. Hooks and MCP use the first; the second is for agents that store and forget memories by
 * MCP.
 */
export const AGENT_KEYS = [
  { field: 'agent_api_key', name: 'agent', scopes: ['capture', 'read'] },
  { field: 'agent_write_api_key', name: 'agent-write', scopes: ['read', 'write'] },
] as const satisfies readonly { readonly field: string; readonly name: string; readonly scopes: readonly Scope[] }[];

const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  admin: SCOPES,
  user: ['capture', 'read', 'write'],
  viewer: ['read'],
};

/** Returns the scope that a key needs for the rights of its user over the own data: `write`; of a viewer, who has no other scope, `read`. */
export function scopeOfOwnData(role: Role): Scope {
  return role === 'viewer' ? 'read' : 'write';
}

/** Returns the scopes that a key of this role may have; of `wanted` only, if given. */
export function scopesOf(role: Role, wanted: readonly Scope[] = SCOPES): Scope[] {
  return wanted.filter((scope) => SCOPES_OF_ROLE[role].includes(scope));
}
