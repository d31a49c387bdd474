import { z } from 'zod';
import { CREDENTIAL_KINDS, LOGIN_METHODS, ROLES, SCOPES } from '../domain/access.ts';
import { LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../domain/passwords.ts';
import { flag } from './query.ts';
import { namespaceName, pageQuery, timestamp } from './shared.ts';
import { line, text } from './text.ts';

/** Users, invites, keys and tenants. */

const roleSchema = z.enum(ROLES);
const scopeSchema = z.enum(SCOPES);

const username = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be small letters, digits, dot, dash and underscore')
  .describe('Unique in the tenant');
const email = z
  .string()
  .max(254)
  .regex(/^[!-?A-~]{1,64}@[!-?A-~]+$/, 'must be an email address');
const tenantName = line(128).describe('Unique in the instance');
/** A user in an address or a body. */
const userName = text(256).describe('Id or username');

export const newPassword = text(LONGEST_PASSWORD, SHORTEST_PASSWORD);

export const userSchema = z
  .object({
    id: z.string(),
    username: z.string(),
    email: z.string().nullable(),
    role: roleSchema,
    active: z.boolean(),
    invite_expires_at: z.string().nullable().describe('End of the invite that can be accepted; null: there is none'),
    created_at: z.string(),
  })
  .meta({ id: 'User' });
export type User = z.output<typeof userSchema>;

export const inviteSchema = z
  .object({
    token: z.string().describe('Shown once; `recollect join` accepts it'),
    expires_at: z.string(),
  })
  .meta({ id: 'Invite' });

export const userQuery = z.strictObject({
  ...pageQuery,
  search: text(200).optional().describe('Text to find in the username or the email address'),
  active: flag().optional(),
});
export const userParams = z.object({ id: userName });
export const userBody = z.strictObject({ username, email: email.optional(), role: roleSchema });
export const userChange = z.strictObject({
  role: roleSchema.optional(),
  active: z.boolean().optional().describe('false: no key of the user works; the data remain'),
  email: email.nullable().optional().describe('null removes it'),
});
export const transferBody = z.strictObject({
  to: userName,
  dry_run: z.boolean().default(false).describe('Count only'),
});
export const transferAnswer = z
  .object({
    id: z.string().describe('The former owner'),
    to: z.string().describe('Id of the new owner'),
    dry_run: z.boolean(),
    learnings: z.object({
      extracted: z.number().int().describe('Current ones that sessions taught'),
      by_hand: z.number().int().describe('Current ones that users wrote or corrected'),
      closed: z.number().int().describe('Former versions and deleted ones'),
      erased_with_user: z
        .number()
        .int()
        .describe('Current ones that an erasure of the former owner deletes: only sessions of that user taught them'),
    }),
  })
  .meta({ id: 'Transfer' });
export type Transfer = z.output<typeof transferAnswer>;
export const invitedAnswer = z.object({ user: userSchema, invite: inviteSchema });

export const keySchema = z
  .object({
    id: z.string(),
    user_id: z.string(),
    username: z.string(),
    name: z.string(),
    prefix: z.string().describe('First characters of the key'),
    scopes: z.array(scopeSchema),
    namespaces: z.array(z.string()).describe('The key is bound to these; empty: to none'),
    projects: z.array(z.string()).describe('Ids; the key is bound to these; empty: to none'),
    created_by: z.string().nullable().describe('Id of a user; null for keys of the first start'),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    requests_per_minute: z.number().int().nullable().describe('Quota of the key alone, captures excepted; null: none'),
    last_used_at: z.string().nullable().describe('Recorded once an hour'),
    revoked_at: z.string().nullable(),
    replaced_by: z.string().nullable().describe('Id of the key that a rotation created'),
  })
  .meta({ id: 'ApiKey' });
export type ApiKey = z.output<typeof keySchema>;

const keyName = line(100);
const MAX_BOUNDS = 50;
const expiresAt = timestamp.describe('Must be in the future');
const requestsPerMinute = z.number().int().min(1).max(1_000_000);
export const ownKeyQuery = z.strictObject({
  ...pageQuery,
  revoked: flag().prefault(false).describe('Include revoked and expired keys'),
});
export const keyQuery = ownKeyQuery.extend({ user: userName.optional() });
export const keyBody = z.strictObject({
  user: userName.optional().describe('Id or username; default: the caller'),
  name: keyName,
  scopes: z
    .array(scopeSchema)
    .min(1)
    .max(SCOPES.length)
    .describe("None that the caller's key lacks, or that the role of the user does not have"),
  namespaces: z
    .array(namespaceName)
    .max(MAX_BOUNDS)
    .default([])
    .describe('Binds the key to these namespaces: it reads and writes nothing outside. Not with the scope admin'),
  projects: z
    .array(text(512))
    .max(MAX_BOUNDS)
    .default([])
    .describe(
      'Binds the key to these projects, by id, git remote, path or name. Not with the scopes capture and admin',
    ),
  expires_at: expiresAt.optional().describe('In the future, and not after the end of the key of the caller'),
  requests_per_minute: requestsPerMinute.optional().describe('Beside the quotas of the user; captures are not counted'),
});
export const keyChange = z.strictObject({
  name: keyName.optional(),
  expires_at: expiresAt
    .nullable()
    .optional()
    .describe('In the future, and not after the end of the key of the caller; null: the key does not expire'),
  requests_per_minute: requestsPerMinute.nullable().optional().describe('null: no quota of its own'),
});
export const MAX_OVERLAP_S = 604_800;
export const rotateBody = z.strictObject({
  overlap_s: z
    .number()
    .int()
    .min(0)
    .max(MAX_OVERLAP_S)
    .default(86_400)
    .describe('Seconds for which the old key still works'),
});
/** A key with its secret. */
export const createdKey = z.object({ key: keySchema, api_key: z.string().describe('Shown once') });
export const rotatedKey = createdKey.extend({ replaced: keySchema.describe('The old key, with its end') });

export const meSchema = z
  .object({
    user: z.object({ id: z.string(), username: z.string(), email: z.string().nullable() }),
    tenant: z.object({ id: z.string(), name: z.string() }),
    role: roleSchema,
    scopes: z.array(scopeSchema).describe('Of the credential'),
    credential: z.object({
      kind: z.enum(CREDENTIAL_KINDS),
      id: z.string(),
      name: z.string().nullable().describe('Of a key; else null'),
      expires_at: z.string().nullable(),
    }),
    is_operator: z.boolean().describe('The credential may read and control the instance'),
    may_verify: z
      .boolean()
      .describe('The credential may verify learnings: that of an admin, with RECOLLECT_USERS_VERIFY that of a user'),
    login: z.object({
      password: z.boolean(),
      totp: z.boolean(),
      recovery_codes: z.number().int().describe('Unused ones'),
    }),
    bounds: z
      .object({ namespaces: z.array(z.string()), projects: z.array(z.string()).describe('Ids') })
      .nullable()
      .describe('What a key is bound to; null: nothing'),
    session: z
      .object({
        id: z.string(),
        methods: z.array(z.enum(LOGIN_METHODS)),
        proven_until: z
          .string()
          .nullable()
          .describe('Until then the session may do what needs a recent proof; null: the user proved no second factor'),
        prove_by: z
          .enum(['second_factor', 'password', 'sign_in'])
          .describe('What renews the proof: `POST /auth/step-up`, or a new sign-in'),
      })
      .nullable()
      .describe('Of a log-in or a browser; null: a key alone sends the request'),
    server: z.object({
      version: z.string(),
      body_bytes: z.number().int().describe('Largest body of most routes'),
    }),
  })
  .meta({ id: 'Me' });

export const acceptBody = z.strictObject({
  token: z.string().regex(/^rci_[A-Za-z0-9_-]{43}$/, 'must be the token of an invite'),
  password: newPassword.optional().describe('Of the log-in of the user; default: none, or the one that there is'),
});
export const acceptedInvite = z.object({
  username: z.string(),
  role: roleSchema,
  api_key: z.string().describe('All scopes of the role'),
  agent_api_key: z.string().describe('For agents: capture and read'),
  agent_write_api_key: z.string().describe('For agents that store memories: read and write'),
});

export const tenantSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    is_operator: z.boolean(),
    suspended_at: z.string().nullable().describe('No key of a suspended tenant works'),
    created_at: z.string(),
  })
  .meta({ id: 'Tenant' });
export const listedTenant = tenantSchema.extend({ users: z.number().int() }).meta({ id: 'ListedTenant' });
export const tenantQuery = z.strictObject(pageQuery);
export const tenantBody = z.strictObject({
  name: tenantName,
  admin: z.strictObject({ username, email: email.optional() }),
});
export const tenantChange = z.strictObject({ name: tenantName.optional(), suspended: z.boolean().optional() });
export const createdTenant = z.object({ tenant: tenantSchema, user: userSchema, invite: inviteSchema });
