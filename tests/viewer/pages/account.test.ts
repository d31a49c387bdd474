import { expect, test } from 'vitest';
import { managesAccount, maySetPassword } from '../../../viewer/pages/settings/account.ts';

const key = { kind: 'key', id: 'k', name: null, expires_at: null } as const;
const session = { ...key, kind: 'session' } as const;
const login = (password: boolean) => ({ password, totp: false, recovery_codes: 0 });

test.each([
  ['a log-in', { role: 'user', scopes: ['read'], credential: session, login: login(false) }, true, true],
  [
    'a key of an agent',
    { role: 'user', scopes: ['capture', 'read'], credential: key, login: login(true) },
    false,
    false,
  ],
  [
    'a full key of a user',
    { role: 'user', scopes: ['capture', 'read', 'write'], credential: key, login: login(false) },
    true,
    true,
  ],
  ['a key of a viewer, first', { role: 'viewer', scopes: ['read'], credential: key, login: login(false) }, true, false],
  ['a key of a viewer, later', { role: 'viewer', scopes: ['read'], credential: key, login: login(true) }, true, true],
] as const)('decides what %s may do', (_, user, manages, sets) => {
  expect([
    managesAccount({ ...user, scopes: [...user.scopes] }),
    maySetPassword({ ...user, scopes: [...user.scopes] }),
  ]).toEqual([manages, sets]);
});
