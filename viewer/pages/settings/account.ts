import type { Me } from '../../contract/index.ts';

const SCOPES: Readonly<Record<Me['role'], readonly Me['scopes'][number][]>> = {
  admin: ['capture', 'read', 'write', 'admin'],
  user: ['capture', 'read', 'write'],
  viewer: ['read'],
};

/** Returns whether the user may manage the account: by a log-in, or by a key with all scopes of the role. */
export function managesAccount({ role, scopes, credential }: Pick<Me, 'role' | 'scopes' | 'credential'>): boolean {
  return credential.kind === 'session' || SCOPES[role].every((scope) => scopes.includes(scope));
}

/** Returns whether the user may set a password: keys of viewers, which agents may have too, set no first one. */
export function maySetPassword(user: Pick<Me, 'role' | 'scopes' | 'credential' | 'login'>): boolean {
  return managesAccount(user) && (user.login.password || user.credential.kind === 'session' || user.role !== 'viewer');
}
