import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from '../../config/config.ts';
import { readOidcProviders } from '../../config/oidc-providers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-oidc-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINIMAL = {
  name: 'company',
  label: 'Company',
  issuer: 'https://login.example.org',
  client_id: 'recollect',
  allowed_domains: ['Example.org'],
};

function read(content: unknown) {
  const file = path.join(folder, 'providers.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readOidcProviders(file);
}

test('reads a provider with defaults, and its secret of a file', () => {
  const secret = path.join(folder, 'secret');
  writeFileSync(secret, 'hunter22\n');
  expect(readOidcProviders(undefined)).toEqual([]);
  expect(read([{ ...MINIMAL, client_secret_file: secret }])).toEqual([
    {
      name: 'company',
      label: 'Company',
      issuer: 'https://login.example.org',
      clientId: 'recollect',
      clientSecret: 'hunter22',
      scopes: ['openid', 'profile', 'email'],
      tenant: null,
      createsUsers: true,
      linksByVerifiedEmail: false,
      rules: {
        allowedDomains: ['example.org'],
        requiredClaims: {},
        roles: null,
        defaultRole: 'user',
        usernameClaim: 'preferred_username',
      },
    },
  ]);
});

test('gives no role to users without a value of the role claim, unless a default is set', () => {
  const roles = { claim: 'groups', admin: ['leads'] };
  expect(read([{ ...MINIMAL, roles }])[0]?.rules).toMatchObject({
    roles: { claim: 'groups', values: { admin: ['leads'], user: [], viewer: [] } },
    defaultRole: null,
  });
  expect(read([{ ...MINIMAL, roles, default_role: 'viewer' }])[0]?.rules.defaultRole).toBe('viewer');
});

test.each([
  ['that is not JSON', '{', 'not JSON'],
  ['with a field that does not exist', [{ ...MINIMAL, secret: 'hunter22' }], 'secret'],
  ['with plain HTTP', [{ ...MINIMAL, issuer: 'http://login.example.org' }], '0.issuer'],
  ['with a name that looks like loopback', [{ ...MINIMAL, issuer: 'http://localhost.example.org' }], '0.issuer'],
  ['with a user in the address', [{ ...MINIMAL, issuer: 'https://hunter22@login.example.org' }], '0.issuer'],
  ['with a name for an address', [{ ...MINIMAL, name: '../x' }], '0.name'],
  ['with one name twice', [MINIMAL, MINIMAL], 'names must differ'],
  ['without the scope openid', [{ ...MINIMAL, scopes: ['email'] }], '0.scopes'],
  ['with two secrets', [{ ...MINIMAL, client_secret: 'a', client_secret_file: 'b' }], '0.client_secret_file'],
  ['with a secret that cannot be read', [{ ...MINIMAL, client_secret_file: '/nowhere' }], 'client_secret_file'],
  ['with the role admin by default', [{ ...MINIMAL, default_role: 'admin' }], '0.default_role'],
  ['without a rule for its users', [{ ...MINIMAL, allowed_domains: [] }], '0.allow_any_user'],
  ['that is too large', ' '.repeat(300_000), 'larger'],
])('rejects a file %s and names the field, not the value', (_what, content, field) => {
  expect(() => read(content)).toThrow(ConfigError);
  expect(() => read(content)).toThrow(field);
  expect(() => read(content)).not.toThrow('hunter22');
});

test('needs no rule if the file allows any user, or creates none', () => {
  const open = { ...MINIMAL, allowed_domains: [] };
  expect(read([{ ...open, allow_any_user: true }])).toHaveLength(1);
  expect(read([{ ...open, create_users: false }])).toHaveLength(1);
});
