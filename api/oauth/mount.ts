import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Provider } from 'oidc-provider';
import type { OauthConfig } from '../../config/oauth-settings.ts';
import { OAUTH_SCOPES } from '../../domain/oauth.ts';
import { databaseCodes } from '../../stores/postgres/connection/database-codes.ts';
import type { RefreshResult } from '../../telemetry/api-metrics.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { ERROR_STATUS, toApiError } from '../errors.ts';
import { addressHash } from '../http/rate-limits.ts';
import { addressesOf, createAuthorizationServer, OAUTH_PATH, OAUTH_ROUTES } from './authorization-server.ts';
import { interactionRoutes } from './interaction-routes.ts';
import { errorPage } from './pages.ts';

/** Requests for documents of clients that one address may cause. */
const DOCUMENTS_PER_MINUTE = 30;
/** Characters of an authorization request: it is stored while its user decides. */
const LONGEST_QUERY = 4_096;
/** Registrations of clients that one address may send. */
const REGISTRATIONS_PER_MINUTE = 10;

/** RFC 9728: the resource and its authorization server. */
function resourceMetadata(oauth: OauthConfig) {
  const { issuer, resource } = addressesOf(oauth);
  return {
    resource,
    authorization_servers: [issuer],
    scopes_supported: OAUTH_SCOPES,
    bearer_methods_supported: ['header'],
    resource_name: 'Recollect',
  };
}

/** RFC 8414. Written here and not by the library, which follows the Host header and lists what no client here needs. */
function serverMetadata(oauth: OauthConfig) {
  const { issuer } = addressesOf(oauth);
  return {
    issuer,
    authorization_endpoint: `${issuer}${OAUTH_ROUTES.authorization}`,
    token_endpoint: `${issuer}${OAUTH_ROUTES.token}`,
    revocation_endpoint: `${issuer}${OAUTH_ROUTES.revocation}`,
    ...(oauth.registration ? { registration_endpoint: `${issuer}${OAUTH_ROUTES.registration}` } : {}),
    scopes_supported: OAUTH_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  };
}

const OPEN = { config: { access: 'open', looksUp: true }, schema: { hide: true } } as const;

/** Returns a handler that passes requests to the library, as if they came to the public address: it derives its addresses from each request. */
function forwardTo(provider: Provider, { origin }: OauthConfig) {
  const callback = provider.callback();
  const { host, protocol } = new URL(origin);
  return (path: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    const { raw } = request;
    const { search } = new URL(request.url, origin);
    if (search.length > LONGEST_QUERY) {
      const page = errorPage(`The query of the request is longer than ${LONGEST_QUERY} characters.`);
      return reply.status(ERROR_STATUS.VALIDATION_FAILED).headers(page.headers).send(page.html);
    }
    Object.assign(raw, { originalUrl: `${OAUTH_PATH}${path}${search}`, url: `${path}${search}` });
    for (const name of ['origin', 'x-forwarded-host']) delete raw.headers[name];
    Object.assign(raw.headers, { host, 'x-forwarded-proto': protocol.slice(0, -1), 'x-forwarded-for': request.ip });
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.raw.setHeader('x-request-id', request.id);
    await callback(raw, reply.raw);
    return reply;
  };
}

/** The authorization server for MCP clients, at the root. Nothing if it is off. */
export async function oauthRoutes(root: Api, dependencies: ApiDependencies): Promise<void> {
  const { config, database, metrics, rateLeases } = dependencies;
  const { oauth } = config;
  if (oauth === null) return;
  const take = async (bucket: string, address: string, quota: number) =>
    (await rateLeases.take(`${bucket}:${addressHash(address)}`, { quota, windowS: 60 })).isGranted;
  const mayFetch = (address: string) => take('documents', address, DOCUMENTS_PER_MINUTE);
  const onRefresh = (result: RefreshResult) => metrics.authRefresh.inc({ result });
  const provider = createAuthorizationServer({ database, oauth, mayFetch, onRefresh });
  // It prints errors otherwise.
  provider.silent = true;
  provider.on('server_error', (_context, error) =>
    root.log.error({ error: error.name, codes: databaseCodes(error) }, 'a request to the authorization server failed'),
  );

  root.get('/.well-known/oauth-protected-resource/mcp', OPEN, () => resourceMetadata(oauth));
  root.get(`/.well-known/oauth-authorization-server${OAUTH_PATH}`, OPEN, () => serverMetadata(oauth));

  await root.register(async (app) => {
    const forward = forwardTo(provider, oauth);
    // The library reads the bodies, up to 56 KiB.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const { authorization, token, revocation, registration } = OAUTH_ROUTES;
    const starting = { ...OPEN, config: { ...OPEN.config, startsLogin: true } };
    app.get(`${OAUTH_PATH}${authorization}`, starting, forward(authorization));
    app.get<{ Params: { uid: string } }>(`${OAUTH_PATH}${authorization}/:uid`, OPEN, (request, reply) =>
      forward(`${authorization}/${encodeURIComponent(request.params.uid)}`)(request, reply),
    );
    app.post(`${OAUTH_PATH}${token}`, OPEN, forward(token));
    app.post(`${OAUTH_PATH}${revocation}`, OPEN, forward(revocation));
    if (!oauth.registration) return;
    app.post(`${OAUTH_PATH}${registration}`, OPEN, async (request, reply) => {
      if (await take('registrations', request.ip, REGISTRATIONS_PER_MINUTE))
        return forward(registration)(request, reply);
      return reply
        .status(429)
        .header('retry-after', '60')
        .send({ error: 'temporarily_unavailable', error_description: 'too many registrations' });
    });
  });
  await root.register(async (app: Api) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, body),
    );
    app.setErrorHandler((error, request, reply) => {
      const known = toApiError(error);
      if (known.code === 'INTERNAL')
        request.log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'request failed');
      const page = errorPage(known.message);
      return reply.status(ERROR_STATUS[known.code]).headers(page.headers).send(page.html);
    });
    interactionRoutes(app, dependencies, provider, oauth);
  });
}
