import { VERSION } from '../../../config/version.ts';
import { acceptBody, acceptedInvite, meSchema } from '../../../contract/access.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { AGENT_KEYS, SCOPES, scopesOf } from '../../../domain/access.ts';
import type { Scope } from '../../../domain/access.ts';
import { acceptInvite, findInvite } from '../../../stores/postgres/access/invites.ts';
import type { Invited } from '../../../stores/postgres/access/invites.ts';
import { readPassword, setPassword } from '../../../stores/postgres/access/log-ins.ts';
import { methodsOf } from '../../../stores/postgres/access/browser-sessions.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { createKey, readKey } from '../../../stores/postgres/access/key-changes.ts';
import { readIdentity } from '../../../stores/postgres/access/people.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { operates, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing } from '../../errors.ts';
import { BODY_BYTES } from '../../http/body.ts';
import { provenUntilOf } from '../../login/step-up.ts';
import { mayVerify } from '../../memories/memory-changes.ts';
import { requireGoodPassword } from '../../login/new-passwords.ts';

const tags = ['access'];
/** A password of 1,024 characters, each escaped as twelve bytes in JSON, and a token. */
const ACCEPT_BYTES = 16_384;

/** The same for every token that cannot be accepted: the answer does not confirm that a token existed. */
function noInvite(): ApiError {
  const message = 'is unknown, accepted or expired';
  return new ApiError('NOT_FOUND', `the invite ${message}; an admin can create another`, [{ field: 'token', message }]);
}

/** Creates the keys of a user who accepted an invite, with the scopes that the role may have. */
async function createKeys(transaction: TenantTransaction, { tenantId, userId, role }: Invited) {
  const keyFor = async (name: string, scopes: readonly Scope[]): Promise<string> => {
    const wish = {
      tenantId,
      userId,
      name,
      scopes: scopesOf(role, scopes),
      bounds: null,
      expiresAt: null,
      requestsPerMinute: null,
      createdBy: userId,
    };
    return (await createKey(transaction, wish)).key;
  };
  const [agent, agentWrite] = AGENT_KEYS;
  return {
    api_key: await keyFor('own', SCOPES),
    [agent.field]: await keyFor(agent.name, agent.scopes),
    [agentWrite.field]: await keyFor(agentWrite.name, agentWrite.scopes),
  };
}

/** Returns what renews the proof of a session. A passkey is proven by a new log-in, a key by a new sign-in. */
function proofOf({ credential, login }: Principal, hasTotp: boolean, hasPassword: boolean) {
  if (credential.kind === 'key') return 'sign_in' as const;
  if (login?.hasFactors === true) return hasTotp ? ('second_factor' as const) : ('sign_in' as const);
  return hasPassword ? ('password' as const) : ('sign_in' as const);
}

/** `/auth`: the caller, and invites, which need no key. */
export function authRoutes(app: Api, dependencies: ApiDependencies): void {
  const { config, database, findPrincipal, passwords } = dependencies;

  app.get(
    '/auth/me',
    route('key', {
      tags,
      summary: 'Get the user, the tenant and the credential of the caller',
      response: { 200: meSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { bounds, credential, expiresAt, login, scopes, tenantId, userId } = principal;
      const [found, key, methods] = await database.asTenant(tenantId, async (transaction) => [
        await readIdentity(transaction, userId),
        credential.kind === 'key' ? await readKey(transaction, credential.id) : null,
        login === null ? [] : await methodsOf(transaction, login.sessionId),
      ]);
      const { id, username, email, tenant, role, hasPassword, hasTotp, recoveryCodes } = existing(found, 'user');
      return {
        user: { id, username, email },
        tenant,
        role,
        scopes: [...scopes],
        credential: { ...credential, name: key?.name ?? null, expires_at: expiresAt?.toISOString() ?? null },
        is_operator: operates(principal),
        may_verify: mayVerify(principal, config.usersVerify),
        login: { password: hasPassword, totp: hasTotp, recovery_codes: recoveryCodes },
        bounds: bounds === null ? null : { namespaces: [...bounds.namespaces], projects: [...bounds.projects] },
        session:
          login === null
            ? null
            : {
                id: login.sessionId,
                methods,
                proven_until: provenUntilOf(login)?.toISOString() ?? null,
                prove_by: proofOf(principal, hasTotp, hasPassword),
              },
        server: { version: VERSION, body_bytes: BODY_BYTES },
      };
    },
  );

  app.post(
    '/auth/invites/accept',
    {
      ...route('open', {
        tags,
        summary: 'Accept an invite and return keys',
        description: 'Needs no key. A token works once; the answer is the only one that contains the keys.',
        body: acceptBody,
        response: { 201: acceptedInvite, ...ERROR_RESPONSES },
      }),
      bodyLimit: ACCEPT_BYTES,
    },
    async (request, reply) => {
      const invite = await findInvite(database, request.body.token);
      if (invite === null) throw noInvite();
      const { password } = request.body;
      if (password !== undefined) {
        const { tenantId, userId } = invite;
        const user = await database.asTenant(tenantId, (transaction) => readPassword(transaction, userId));
        await requireGoodPassword(dependencies, password, user);
      }
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      const keys = await database.asTenant(invite.tenantId, async (transaction) => {
        if (!(await acceptInvite(transaction, invite.id))) throw noInvite();
        if (passwordHash !== null) {
          const { authVersion } = await readPassword(transaction, invite.userId);
          await setPassword(transaction, invite.userId, { passwordHash, authVersion });
        }
        return createKeys(transaction, invite);
      });
      // The audit log records who accepted it.
      request.principal = await findPrincipal(keys.api_key);
      const { username, role } = invite;
      return reply.status(201).send({ username, role, ...keys });
    },
  );
}
