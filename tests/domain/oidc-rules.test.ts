import { describe, expect, test } from 'vitest';
import { refusalOf, roleOf, usernameOf, verifiedEmailOf } from '../../domain/oidc-rules.ts';
import type { OidcRules } from '../../domain/oidc-rules.ts';

const OPEN: OidcRules = {
  allowedDomains: [],
  requiredClaims: {},
  roles: null,
  defaultRole: 'user',
  usernameClaim: 'preferred_username',
};
const GROUPS = {
  ...OPEN,
  roles: { claim: 'groups', values: { admin: ['leads'], user: ['staff'], viewer: ['guests'] } },
  defaultRole: null,
};

test.each([
  ['of several values the highest', ['guests', 'leads', 'staff'], 'admin'],
  ['of one value', 'staff', 'user'],
  ['of no value none', ['others'], null],
  ['of a claim of another type none', { leads: true }, null],
  ['without the claim none', undefined, null],
])('gives the role %s', (_what, groups, role) => {
  expect(roleOf(GROUPS, { groups })).toBe(role);
});

test('gives the default role to users without a value, and to all if admins give roles', () => {
  expect(roleOf({ ...GROUPS, defaultRole: 'viewer' }, {})).toBe('viewer');
  expect(roleOf(OPEN, { groups: ['leads'] })).toBe('user');
});

describe('an email address', () => {
  test.each([
    ['verified', { email: 'Nora@Example.org', email_verified: true }, 'Nora@Example.org'],
    ['unverified', { email: 'nora@example.org', email_verified: false }, null],
    ['without a statement', { email: 'nora@example.org' }, null],
    ['verified as text', { email: 'nora@example.org', email_verified: 'true' }, null],
    ['with a second at sign', { email: 'nora@example.org@other.org', email_verified: true }, null],
    ['with a line break', { email: 'nora@example.org\n', email_verified: true }, null],
    ['that is too long', { email: `nora@${'x'.repeat(260)}`, email_verified: true }, null],
  ])('%s counts as %j → %j', (_what, claims, expected) => {
    expect(verifiedEmailOf(claims)).toBe(expected);
  });
});

const NARROW = { ...OPEN, allowedDomains: ['example.org'], requiredClaims: { department: ['memory', 'search'] } };
const VERIFIED = { email: 'nora@EXAMPLE.org', email_verified: true };

test.each([
  ['passes all rules', NARROW, { ...VERIFIED, department: ['sales', 'search'] }, /^$/],
  ['has an unverified address', NARROW, { ...VERIFIED, email_verified: false, department: 'memory' }, /domain/],
  ['has an address of a subdomain', NARROW, { ...VERIFIED, email: 'n@a.example.org', department: 'memory' }, /domain/],
  ['lacks a claim', NARROW, VERIFIED, /department/],
  ['has another value', NARROW, { ...VERIFIED, department: 'memory 2' }, /department/],
  ['has no role', GROUPS, VERIFIED, /role/],
])('a user who %s', (_what, rules, claims, expected) => {
  expect(refusalOf(rules, claims) ?? '').toMatch(expected);
});

test.each([
  [{ preferred_username: 'nora' }, 1, 'nora'],
  [{ preferred_username: 'nora' }, 3, 'nora-3'],
  [{ preferred_username: 'Nóra Østby' }, 1, 'nora-stby'],
  [{ preferred_username: 'nora@example.org' }, 1, 'nora'],
  [{ email: 'n.o@example.org' }, 1, 'n.o'],
  [{ preferred_username: '李' }, 1, 'user'],
  [{}, 2, 'user-2'],
  [{ preferred_username: 'x'.repeat(300) }, 12, `${'x'.repeat(61)}-12`],
])('derives a username of %j, attempt %i: %s', (claims, n, expected) => {
  expect(usernameOf(OPEN, claims, n)).toBe(expected);
});
