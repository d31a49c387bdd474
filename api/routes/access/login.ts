import { loginAnswer, loginBody, passwordAnswer, passwordBody } from '../../../contract/login.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { readPassword, setPassword } from '../../../stores/postgres/access/log-ins.ts';
import { requireEnd } from '../../access-rules.ts';
import { principalOf, requireOwnKey, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { conflict, invalid } from '../../errors.ts';
import { logIn, provePassword } from '../../login/log-in.ts';
import { requireGoodPassword } from '../../login/new-passwords.ts';
import { requireRecentProof } from '../../login/step-up.ts';
import { startUserSession } from '../../login/user-sessions.ts';

const tags = ['access'];
/** A password of 1,024 characters, each escaped as twelve bytes in JSON, twice, with names. */
const LOGIN_BYTES = 32_768;

/** `/auth/login` and `/auth/password`. */
export function loginRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, passwords } = dependencies;

  app.post(
    '/auth/login',
    {
      ...route('open', {
        tags,
        summary: 'Log in by a password',
        description:
          'Sets the refresh token as a cookie. A user with a second factor receives the token of the second step instead. Failed attempts lock the account for the address for a while.',
        body: loginBody,
        response: { 200: loginAnswer, ...ERROR_RESPONSES },
      }),
      bodyLimit: LOGIN_BYTES,
    },
    (request, reply) => logIn(dependencies, request.body, request, reply),
  );

  app.put(
    '/auth/password',
    {
      ...route('account', {
        tags,
        summary: 'Set the own password',
        description:
          'Ends all sessions of the user. A session that made the request is replaced by a new one. The first password of a viewer needs a session, or an invite: keys of a viewer have the scopes of those of agents.',
        body: passwordBody,
        response: { 200: passwordAnswer },
      }),
      bodyLimit: LOGIN_BYTES,
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId, credential, login } = principal;
      const { password, current_password: current } = request.body;
      const stored = await database.asTenant(tenantId, (transaction) => readPassword(transaction, userId));
      if (stored.passwordHash === null) {
        requireRecentProof(principal);
        requireOwnKey(principal);
        // A log-in has no end, and creates keys without one.
        requireEnd(principal, null, 'password');
      } else if (current === undefined) throw invalid('current_password', 'is required: the account has a password');
      else {
        const { passwordHash } = stored;
        await provePassword(dependencies, { userId, passwordHash, password: current }, request, reply);
      }
      await requireGoodPassword(dependencies, password, stored);
      const passwordHash = await passwords.hash(password);
      const authVersion = await database.asTenant(tenantId, (transaction) =>
        setPassword(transaction, userId, { passwordHash, authVersion: stored.authVersion }),
      );
      if (authVersion === null) throw conflict('password', 'was changed by another request');
      // A key gets no session, also if a browser signed in by it: that has ended.
      if (credential.kind !== 'session' || login === null) return { token: null };
      const proven = { tenantId, userId, authVersion, methods: ['password'], mfaAt: login.mfaAt } as const;
      return { token: await startUserSession(dependencies, proven, request, reply) };
    },
  );
}
