import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { callbackQuery, providerList, providerParams, startQuery } from '../../../contract/single-sign-on.ts';
import { asId } from '../../../domain/ids.ts';
import type { UserId } from '../../../domain/ids.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { startChallenge, takeChallenge } from '../../../stores/postgres/access/auth-challenges.ts';
import { authVersionOf, findTenant } from '../../../stores/postgres/access/identities.ts';
import { newSecret } from '../../../stores/postgres/access/secrets.ts';
import { route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing } from '../../errors.ts';
import { publicUrlOf } from '../../http/public-url.ts';
import { requireRing } from '../../login/signed-tokens.ts';
import { startUserSession } from '../../login/user-sessions.ts';
import { setFlowCookie, takeFlowCookie } from '../../oidc/flow-cookie.ts';
import { arrivingUser } from '../../oidc/oidc-users.ts';

const tags = ['access'];

/** A provider that does not report when it authenticated the user may have done so long ago: the log-in is no recent proof. */
const UNKNOWN_TIME = new Date(0);

/** Returns the options of an open route whose requests count against the quota of their address, and which changes something: HEAD, which browsers send ahead, does not. */
function limited<const Schema extends FastifySchema>(schema: Schema, startsLogin = false) {
  return { config: { access: 'open' as const, looksUp: true, startsLogin }, exposeHeadRoute: false, schema };
}

/** What is stored of a started log-in. */
const startedSchema = z.object({ provider: z.string(), return_to: z.string(), reauthenticates: z.boolean() });

/** `/auth/oidc`: log-in by OpenID Connect providers, in a browser. */
export function oidcRoutes(app: Api, dependencies: ApiDependencies): void {
  const { config, database, oidcClients } = dependencies;
  const publicUrl = publicUrlOf(config.http);
  const clientOf = (name: string) => existing(oidcClients.get(name), 'provider', 'name');
  const redirectUriOf = (name: string) => `${publicUrl}/api/v1/auth/oidc/${name}/callback`;

  app.get(
    '/auth/oidc',
    route('open', { tags, summary: 'List the log-in providers', response: { 200: providerList } }),
    () => ({ data: [...oidcClients.values()].map(({ provider: { name, label } }) => ({ name, label })) }),
  );

  app.get(
    '/auth/oidc/:name/start',
    limited(
      {
        tags,
        summary: 'Redirect the browser to a log-in provider',
        params: providerParams,
        querystring: startQuery,
        response: { 303: z.null().describe('To the provider'), ...ERROR_RESPONSES },
      },
      true,
    ),
    async (request, reply) => {
      const { name } = request.params;
      const { return_to, reauthenticate: reauthenticates } = request.query;
      const client = clientOf(name);
      requireRing(dependencies.readKeyRing);
      const secret = newSecret();
      const address = await client.authorizationUrl({ secret, redirectUri: redirectUriOf(name), reauthenticates });
      await startChallenge(database, 'oidc', secret, { provider: name, return_to, reauthenticates });
      setFlowCookie(reply, secret);
      return reply.header('cache-control', 'no-store').redirect(address.href, 303);
    },
  );

  app.get(
    '/auth/oidc/:name/callback',
    limited({
      tags,
      summary: 'Complete a log-in by a provider',
      description:
        'The provider redirects the browser here. The response sets the refresh cookie and redirects to `return_to`. A log-in works once, in the browser that started it.',
      params: providerParams,
      querystring: callbackQuery,
      response: { 303: z.null().describe('To `return_to` of the start'), ...ERROR_RESPONSES },
    }),
    async (request, reply) => {
      const { name } = request.params;
      void reply.header('cache-control', 'no-store');
      const client = clientOf(name);
      const secret = takeFlowCookie(request, reply);
      const started = secret === null ? null : await takeChallenge(database, 'oidc', secret, startedSchema);
      if (secret === null || started === null || started.provider !== name)
        throw new ApiError('OIDC_FAILED', 'this browser started no such log-in, or it is over; start it again');
      const { reauthenticates, return_to } = started;
      const tenantId = await findTenant(database, client.provider.tenant);
      if (tenantId === null)
        throw new ApiError('NOT_CONFIGURED', `the tenant of the log-in by ${name} does not exist or is suspended`);
      const query = request.url.slice(request.url.indexOf('?') + 1);
      const proven = await client.userOf({ secret, redirectUri: redirectUriOf(name), reauthenticates }, query);
      const { userId, authVersion } = await database.asTenant(tenantId, async (transaction) => {
        // The audit log names a user who is refused.
        const onRefused = (id: string) => {
          request.accused = { tenantId, userId: asId<UserId>(id) };
        };
        const id = await arrivingUser(transaction, { provider: client.provider, tenantId, proven, onRefused });
        return { userId: id, authVersion: await authVersionOf(transaction, id) };
      });
      const { authenticatedAt, usedMfa } = proven;
      const mfaAt = usedMfa ? authenticatedAt : null;
      await startUserSession(
        dependencies,
        { tenantId, userId, authVersion, methods: ['oidc'], authenticatedAt: authenticatedAt ?? UNKNOWN_TIME, mfaAt },
        request,
        reply,
      );
      return reply.redirect(`${publicUrl}${return_to}`, 303);
    },
  );
}
