import { z } from 'zod';
import { BROWSER_CODE_S, browserAnswer, browserBody, browserCode } from '../../../contract/browser.ts';
import { endedSessions } from '../../../contract/login.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { startChallenge, takeChallenge } from '../../../stores/postgres/access/auth-challenges.ts';
import { BROWSER_TOKEN_PREFIX, newSecret } from '../../../stores/postgres/access/secrets.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, invalid } from '../../errors.ts';
import { requireOwnOrigin } from '../../http/own-origin.ts';
import { findByAccessToken, sessionEnded } from '../../login/user-sessions.ts';
import { endBrowserSession, giveSession, startKeySession } from '../../viewer/browser-sessions.ts';

const tags = ['access'];
const SIGN_IN_BYTES = 32_768;

/** What is stored of a code: the key that it was exchanged for. */
const codeSchema = z.object({
  tenant_id: z.string().transform((id) => asId<TenantId>(id)),
  user_id: z.string().transform((id) => asId<UserId>(id)),
  key_id: z.string(),
});

/** `/auth/browser`: sign-in of the viewer by a cookie. */
export function browserRoutes(app: Api, dependencies: ApiDependencies): void {
  const { browserCookie, config, database, findPrincipal } = dependencies;

  app.post(
    '/auth/browser/codes',
    route('key', {
      tags,
      summary: 'Create a code by which a browser signs in with the rights of the key',
      description: 'For keys only: a session would extend its own proof of identity.',
      response: { 201: browserCode },
    }),
    async (request, reply) => {
      const { credential, tenantId, userId, login } = principalOf(request);
      if (credential.kind !== 'key' || login !== null)
        throw new ApiError('FORBIDDEN', 'this route needs a key, not the session of a browser or a log-in');
      const code = newSecret();
      const data = { tenant_id: tenantId, user_id: userId, key_id: credential.id };
      await startChallenge(database, 'browser', code, data, BROWSER_CODE_S);
      return reply.status(201).header('cache-control', 'no-store').send({ code, expires_in: BROWSER_CODE_S });
    },
  );

  app.post(
    '/auth/browser',
    {
      ...route('open', {
        tags,
        summary: 'Sign a browser in',
        description:
          'Exchanges a code, a key or an access token for a cookie that scripts cannot read. The session has the rights of the key or of the log-in, and ends with it. Replaces the session that the browser had.',
        body: browserBody,
        response: { 200: browserAnswer, ...ERROR_RESPONSES },
      }),
      bodyLimit: SIGN_IN_BYTES,
    },
    async (request, reply) => {
      requireOwnOrigin(request, config.http.publicUrl);
      const { code, api_key: key, access_token: accessToken } = request.body;
      const given = [code, key, accessToken].filter((value) => value !== undefined);
      if (given.length !== 1) throw invalid('code', 'is required, or else an api_key or an access_token: one of them');
      const former = await browserCookie.tokenOf(request);
      const signIn = async () => {
        if (code !== undefined) {
          const found = await takeChallenge(database, 'browser', code, codeSchema);
          if (found === null)
            throw new ApiError('INVALID_CREDENTIALS', 'the code is unknown, used or expired: run recollect open');
          const signing = { tenantId: found.tenant_id, userId: found.user_id, keyId: found.key_id };
          return startKeySession(dependencies, signing, 'code', request, reply);
        }
        if (accessToken !== undefined) {
          const principal = await findByAccessToken(dependencies, accessToken);
          if (principal === null) throw sessionEnded();
          return giveSession(dependencies, principal, request, reply);
        }
        // The token of a cookie leads to a key, too.
        const isKey = key !== undefined && !key.startsWith(BROWSER_TOKEN_PREFIX);
        const principal = isKey ? await findPrincipal(key) : null;
        if (principal?.credential.kind !== 'key')
          throw new ApiError('INVALID_API_KEY', 'the key is unknown, expired or revoked');
        const { tenantId, userId, credential } = principal;
        return startKeySession(dependencies, { tenantId, userId, keyId: credential.id }, 'key', request, reply);
      };
      const answer = await signIn();
      if (former !== null) await endBrowserSession(dependencies, former, 'replaced', answer.session_id);
      return reply.header('cache-control', 'no-store').send(answer);
    },
  );

  app.delete(
    '/auth/browser',
    {
      ...route('open', {
        tags,
        summary: 'Sign a browser out',
        description: 'Ends the session of the cookie, of requests of its own origin only.',
        response: { 200: endedSessions, ...ERROR_RESPONSES },
      }),
      config: { access: 'open', looksUp: true },
    },
    async (request, reply) => {
      const token = await browserCookie.tokenOf(request);
      await browserCookie.clear(request, reply);
      if (token === null) return { ended: 0 };
      const { ended, principal } = await endBrowserSession(dependencies, token, 'logout');
      request.principal = principal;
      return { ended };
    },
  );
}
