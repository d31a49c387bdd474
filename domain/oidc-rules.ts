import type { Role } from './access.ts';

/** Rules of one OpenID Connect provider: who may log in, and with which role. */
export interface OidcRules {
  /** Domains of verified email addresses, in small letters; empty: any address or none. */
  readonly allowedDomains: readonly string[];
  /** Values of claims; a claim passes if it is, or contains, one of its values. */
  readonly requiredClaims: Readonly<Record<string, readonly string[]>>;
  /** Values of one claim that give a role; null: admins give roles. */
  readonly roles: { readonly claim: string; readonly values: Readonly<Record<Role, readonly string[]>> } | null;
  /** Role of users without a value of `roles`; null: they are refused. */
  readonly defaultRole: Role | null;
  /** Claim from which the name of a new user is derived. */
  readonly usernameClaim: string;
}

export type OidcClaims = Readonly<Record<string, unknown>>;

/** Highest first. */
const BY_RIGHTS = ['admin', 'user', 'viewer'] as const satisfies readonly Role[];
const MAX_USERNAME = 64;
const MAX_EMAIL = 254;
const EMAIL = /^[!-?A-~]{1,64}@([!-?A-~]+)$/;

/** Returns the texts of a claim: itself or its items. */
function valuesOf(claims: OidcClaims, name: string): string[] {
  return [claims[name]].flat().filter((value) => typeof value === 'string');
}

function hasOne(given: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some((value) => given.includes(value));
}

/** Returns the email address of a user if the provider has verified it, else null: anybody can enter any address. */
export function verifiedEmailOf(claims: OidcClaims): string | null {
  const { email, email_verified: isVerified } = claims;
  return isVerified === true && typeof email === 'string' && email.length <= MAX_EMAIL && EMAIL.test(email)
    ? email
    : null;
}

/** Returns the rule that refuses a user; null if the user may log in. */
export function refusalOf(rules: OidcRules, claims: OidcClaims): string | null {
  const domain = EMAIL.exec(verifiedEmailOf(claims) ?? '')?.[1]?.toLowerCase() ?? '';
  if (rules.allowedDomains.length > 0 && !rules.allowedDomains.includes(domain))
    return 'the domain of the verified email address is not allowed';
  const failed = Object.entries(rules.requiredClaims).find(([name, values]) => !hasOne(valuesOf(claims, name), values));
  if (failed !== undefined) return `the claim ${failed[0]} has no required value`;
  return roleOf(rules, claims) === null ? 'no group of the user has a role' : null;
}

/** Returns the role of a user, the highest that a value of the claim gives; null if the rules give none. */
export function roleOf({ roles, defaultRole }: OidcRules, claims: OidcClaims): Role | null {
  if (roles === null) return defaultRole;
  const given = valuesOf(claims, roles.claim);
  return BY_RIGHTS.find((role) => hasOne(given, roles.values[role])) ?? defaultRole;
}

/** Returns a name for a new user by the rules of names: of the claim, else of the email address, else `user`. `n`: further names if it is taken, from 2. */
export function usernameOf({ usernameClaim }: OidcRules, claims: OidcClaims, n = 1): string {
  const [name = ''] = [...valuesOf(claims, usernameClaim), ...valuesOf(claims, 'email')];
  const plain = name
    .slice(0, MAX_EMAIL)
    .replace(/@.*$/s, '')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/[^a-z0-9]+$/, '');
  const suffix = n === 1 ? '' : `-${n}`;
  return `${(plain || 'user').slice(0, MAX_USERNAME - suffix.length)}${suffix}`;
}
