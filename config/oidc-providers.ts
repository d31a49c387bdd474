import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ROLES } from '../domain/access.ts';
import type { OidcRules } from '../domain/oidc-rules.ts';
import { ConfigError } from './config.ts';
import { isLoopbackHost } from './rules.ts';

const MAX_PROVIDERS = 20;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_LISTED = 200;

const words = (most: number) => z.string().min(1).max(most);
const claimName = words(200);
const claimValues = z.array(words(200)).max(MAX_LISTED);

/** HTTPS, except on this machine. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, search, hash, username, password } = new URL(text);
  if (`${search}${hash}${username}${password}` !== '' || /[?#]/.test(text)) return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

const providerSchema = z
  .strictObject({
    name: z
      .string()
      .max(32)
      .regex(/^[a-z0-9][a-z0-9-]*$/, 'must be small letters, digits and dashes'),
    label: words(64),
    issuer: words(512).refine(isIssuer, 'must be an https address (http on loopback only), without a query'),
    client_id: words(512),
    client_secret: words(1_024).optional(),
    client_secret_file: words(4_096).optional(),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope'))
      .max(50)
      .default(['openid', 'profile', 'email'])
      .refine((scopes) => scopes.includes('openid'), 'must contain openid'),
    tenant: words(128).optional(),
    allow_any_user: z.boolean().default(false),
    allowed_domains: z.array(words(253).toLowerCase()).max(MAX_LISTED).default([]),
    required_claims: z.record(claimName, claimValues.min(1)).default({}),
    roles: z
      .strictObject({
        claim: claimName,
        admin: claimValues.default([]),
        user: claimValues.default([]),
        viewer: claimValues.default([]),
      })
      .optional(),
    default_role: z.enum(ROLES).exclude(['admin']).optional(),
    create_users: z.boolean().default(true),
    link_by_verified_email: z.boolean().default(false),
    username_claim: claimName.default('preferred_username'),
  })
  .superRefine((provider, context) => {
    const reject = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (provider.client_secret !== undefined && provider.client_secret_file !== undefined)
      reject('client_secret_file', 'must not be combined with client_secret');
    const isNarrowed =
      provider.allowed_domains.length > 0 ||
      Object.keys(provider.required_claims).length > 0 ||
      (provider.roles !== undefined && provider.default_role === undefined);
    // Else every account at a public provider would become a user.
    if (provider.create_users && !isNarrowed && !provider.allow_any_user)
      reject('allow_any_user', 'must be true without allowed_domains, required_claims or roles that decide');
  });

const fileSchema = z
  .array(providerSchema)
  .max(MAX_PROVIDERS)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names must differ');

/** An OpenID Connect provider whose users may log in. */
export interface OidcProvider {
  readonly name: string;
  /** Text of the button. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null for a public client, which PKCE protects. */
  readonly clientSecret: string | null;
  readonly scopes: readonly string[];
  /** Name of the tenant of the users; null for the operators' tenant. */
  readonly tenant: string | null;
  readonly createsUsers: boolean;
  readonly linksByVerifiedEmail: boolean;
  readonly rules: OidcRules;
}

function providerOf(given: z.output<typeof providerSchema>): OidcProvider {
  const { roles, default_role: defaultRole = roles === undefined ? 'user' : null } = given;
  return {
    name: given.name,
    label: given.label,
    issuer: given.issuer,
    clientId: given.client_id,
    clientSecret: given.client_secret ?? secretIn(given.client_secret_file),
    scopes: given.scopes,
    tenant: given.tenant ?? null,
    createsUsers: given.create_users,
    linksByVerifiedEmail: given.link_by_verified_email,
    rules: {
      allowedDomains: given.allowed_domains,
      requiredClaims: given.required_claims,
      roles: roles === undefined ? null : { claim: roles.claim, values: roles },
      defaultRole,
      usernameClaim: given.username_claim,
    },
  };
}

function reject(message: string): never {
  throw new ConfigError(`RECOLLECT_OIDC_PROVIDERS_FILE: ${message}`);
}

function contentOf(file: string, subject: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    reject(`${subject} cannot be read`);
  }
  return text.length > MAX_FILE_BYTES ? reject(`${subject} is larger than ${MAX_FILE_BYTES} bytes`) : text;
}

function secretIn(file: string | undefined): string | null {
  return file === undefined ? null : contentOf(file, 'a client_secret_file').trim();
}

/** Returns the providers of a file; none without a file. @throws ConfigError with the names of invalid fields and no values */
export function readOidcProviders(file: string | undefined): readonly OidcProvider[] {
  if (file === undefined) return [];
  const text = contentOf(file, 'the file');
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    reject('the file is not JSON');
  }
  const parsed = fileSchema.safeParse(given);
  if (parsed.success) return parsed.data.map(providerOf);
  return reject(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}
