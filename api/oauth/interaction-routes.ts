import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors } from 'oidc-provider';
import type { InteractionResults, Provider } from 'oidc-provider';
import { z } from 'zod';
import type { OauthConfig } from '../../config/oauth-settings.ts';
import { grantableScopes, OAUTH_SCOPES } from '../../domain/oauth.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { authVersionOf } from '../../stores/postgres/access/identities.ts';
import { createGrant } from '../../stores/postgres/access/oauth-grants.ts';
import { findOauthPayload, saveOauthPayload } from '../../stores/postgres/access/oauth-payloads.ts';
import { readUser } from '../../stores/postgres/access/users.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { ApiError, ERROR_STATUS, invalid } from '../errors.ts';
import { proveByPassword, proveBySecondStep } from '../login/log-in.ts';
import { accountIdOf } from './adapter.ts';
import { OAUTH_PATH, OAUTH_ROUTES } from './authorization-server.ts';
import { hostOfClient, sourceOf } from './client-rules.ts';
import { codePage, consentPage, loginPage } from './pages.ts';
import type { ClientShown, Page } from './pages.ts';

const FORM_BYTES = 8 * 1_024;

const form = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('password'),
    username: z.string().min(1).max(254),
    password: z.string().min(1).max(1_024),
    tenant: z.string().max(128).optional(),
  }),
  z.object({ action: z.literal('code'), mfa_token: z.string().min(1).max(2_048), code: z.string().min(1).max(64) }),
  z.object({ action: z.literal('allow'), scope: z.array(z.enum(OAUTH_SCOPES)).max(OAUTH_SCOPES.length).default([]) }),
  z.object({ action: z.literal('cancel') }),
]);
type Form = z.output<typeof form>;
type LogInForm = Extract<Form, { readonly action: 'password' | 'code' }>;

const TOTP_CODE = /^[0-9]{6}$/;

/** Faults of a log-in that the user can correct on the same page. */
const SHOWN_FAULTS: ReadonlySet<string> = new Set(['INVALID_CREDENTIALS', 'INVALID_TOKEN', 'RATE_LIMITED']);

/** Parses a form. Fields may come once, `scope` for each choice. @throws ApiError VALIDATION_FAILED */
function formOf(body: unknown): Form {
  const fields = new URLSearchParams(typeof body === 'string' ? body : '');
  const once = Object.fromEntries([...fields].filter(([, value]) => value !== ''));
  const parsed = form.safeParse({ ...once, ...(fields.has('scope') ? { scope: fields.getAll('scope') } : {}) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(issue?.path.join('.') ?? 'action', issue?.message ?? 'is not valid');
}

/** Who logged in for this consent. Stored with it. */
const provenUser = z.object({
  tenantId: z.string().transform((id) => asId<TenantId>(id)),
  userId: z.string(),
  /** Version of the credentials that were proven: a change of them ends the log-in. */
  authVersion: z.number(),
});
type ProvenUser = z.output<typeof provenUser>;

const shownClient = z.object({ name: z.string().nullable(), host: z.string() });
const requestParams = z.object({ client_id: z.string(), redirect_uri: z.string(), scope: z.string().default('') });

/** A request of a client that waits for its user. */
interface Consent {
  readonly client: ClientShown;
  readonly params: z.output<typeof requestParams>;
  readonly user: ProvenUser | null;
}

const ADDRESS = `${OAUTH_PATH}${OAUTH_ROUTES.interaction}/:uid`;
const OPEN = { config: { access: 'open', looksUp: true }, schema: { hide: true } } as const;

/**
 * Accepts requests of this server's own pages only: the address contains a secret that the cookie repeats, and no page of another site may send it.
 * @throws ApiError FORBIDDEN
 */
function requireOwnPage({ headers }: FastifyRequest, origin: string): void {
  const { origin: sender, 'sec-fetch-site': site } = headers;
  if ((sender !== undefined && sender !== origin) || (site !== undefined && site !== 'same-origin'))
    throw new ApiError('FORBIDDEN', 'the form was not sent by a page of this server');
}

/** Returns the open request of the cookie. @throws ApiError NOT_FOUND */
async function consentOf(provider: Provider, request: FastifyRequest, reply: FastifyReply): Promise<Consent> {
  const { uid } = z.object({ uid: z.string() }).parse(request.params);
  const expired = () =>
    new ApiError('NOT_FOUND', 'the request for access has expired, or this browser did not start it');
  const found = await provider.interactionDetails(request.raw, reply.raw).catch((error: unknown) => {
    throw error instanceof errors.SessionNotFound ? expired() : error;
  });
  if (found.uid !== uid) throw expired();
  return {
    client: shownClient.parse(found.prompt.details['client']),
    params: requestParams.parse(found.params),
    user: provenUser.safeParse(found.result?.['proven']).data ?? null,
  };
}

function send(reply: FastifyReply, { html, headers }: Page, status = 200): FastifyReply {
  return reply.status(status).headers(headers).send(html);
}

/** `/oauth/interaction`: log-in and consent of the user, as pages without scripts. */
export function interactionRoutes(
  app: Api,
  dependencies: ApiDependencies,
  provider: Provider,
  oauth: OauthConfig,
): void {
  const { database } = dependencies;

  /** Returns the user of a log-in. @throws ApiError FORBIDDEN if the user is not active, or the credentials changed since */
  async function currentUser(transaction: TenantTransaction, { userId, authVersion }: ProvenUser) {
    const user = await readUser(transaction, userId);
    if (user === null || !user.active || (await authVersionOf(transaction, userId)) !== authVersion)
      throw new ApiError('FORBIDDEN', 'the user is not active, or the credentials changed after the log-in');
    return user;
  }

  /** Stores a result and returns the address at which the library continues. */
  const finish = (request: FastifyRequest, reply: FastifyReply, result: InteractionResults): Promise<string> =>
    provider.interactionResult(request.raw, reply.raw, result);

  /** Sends the page for the consent of a user. @throws ApiError FORBIDDEN if the user cannot give what the client requests */
  async function sendConsent(
    reply: FastifyReply,
    { client, params }: Consent,
    proven: ProvenUser,
    error: string | null,
  ) {
    const user = await database.asTenant(proven.tenantId, (transaction) => currentUser(transaction, proven));
    const scopes = grantableScopes(user.role, params.scope);
    if (scopes.length === 0) throw new ApiError('FORBIDDEN', 'the client requests rights that your role does not have');
    const page = consentPage(client, {
      username: user.username,
      scopes,
      redirectHost: hostOfClient('', params.redirect_uri),
      formTarget: sourceOf(params.redirect_uri),
      error,
    });
    return send(reply, page);
  }

  /** Creates the grant and continues. */
  async function allow(
    request: FastifyRequest,
    reply: FastifyReply,
    { client, params }: Consent,
    proven: ProvenUser,
    chosen: readonly string[],
  ) {
    const { tenantId, userId } = proven;
    const granted = await database.asTenant(tenantId, async (transaction) => {
      const user = await currentUser(transaction, proven);
      const scopes = grantableScopes(user.role, params.scope).filter((scope) => chosen.includes(scope));
      const { client_id: clientId } = params;
      const wish = { tenantId, userId, clientId, clientName: client.name, clientHost: client.host, scopes };
      return { ...(await createGrant(transaction, wish)), user, scopes };
    });
    await keepClient(params.client_id, granted.expiresAt);
    // The audit log records who gave access, and to which grant.
    request.returnedId = granted.id;
    request.principal = {
      credential: { kind: 'grant', id: granted.id },
      tenantId,
      userId: asId<UserId>(userId),
      role: granted.user.role,
      scopes: granted.scopes,
      expiresAt: granted.expiresAt,
      requestsPerMinute: null,
      bounds: null,
      isOperator: false,
      login: null,
    };
    const accountId = accountIdOf(tenantId, userId);
    const result = { login: { accountId, remember: false }, consent: { grantId: granted.id } };
    return reply.redirect(await finish(request, reply, result), 303);
  }

  /** Returns the user by the step of a form, or the token of the second step. @throws ApiError */
  const prove = (request: FastifyRequest, reply: FastifyReply, given: LogInForm) => {
    if (given.action === 'password')
      return proveByPassword(dependencies, { ...given, login: given.username }, request, reply);
    const code = given.code.replaceAll(/\s/g, '');
    const kind = TOTP_CODE.test(code) ? 'totp' : 'recovery';
    return proveBySecondStep(dependencies, given.mfa_token, { kind, code }, request, reply);
  };

  /** Proves who the user is, and continues with the consent; shows the same page with the fault if the user can correct it. */
  async function logIn(request: FastifyRequest, reply: FastifyReply, { client }: Consent, given: LogInForm) {
    try {
      const proven = await prove(request, reply, given);
      if ('mfa_token' in proven) return send(reply, codePage(client, { error: null, mfaToken: proven.mfa_token }));
      const { tenantId, userId, authVersion } = proven;
      await finish(request, reply, { proven: { tenantId, userId, authVersion } });
      return await reply.redirect(request.url, 303);
    } catch (error) {
      if (!(error instanceof ApiError) || !SHOWN_FAULTS.has(error.code)) throw error;
      const page =
        given.action === 'code' && error.code !== 'INVALID_TOKEN'
          ? codePage(client, { error: error.message, mfaToken: given.mfa_token })
          : loginPage(client, { error: error.message, username: given.action === 'code' ? '' : given.username });
      return send(reply, page, ERROR_STATUS[error.code]);
    }
  }

  /** A registered client that has a grant remains until the end of the grant. */
  async function keepClient(clientId: string, expiresAt: Date): Promise<void> {
    const stored = await findOauthPayload(database, 'Client', clientId);
    if (stored === null) return;
    await saveOauthPayload(database, 'Client', clientId, { grantId: null, payload: stored.payload, expiresAt });
  }

  app.get(ADDRESS, OPEN, async (request, reply) => {
    const consent = await consentOf(provider, request, reply);
    return consent.user === null
      ? send(reply, loginPage(consent.client, { error: null, username: '' }))
      : sendConsent(reply, consent, consent.user, null);
  });

  app.post(ADDRESS, { ...OPEN, bodyLimit: FORM_BYTES }, async (request, reply) => {
    requireOwnPage(request, oauth.origin);
    const consent = await consentOf(provider, request, reply);
    const given = formOf(request.body);
    switch (given.action) {
      case 'cancel': {
        const result = { error: 'access_denied', error_description: 'the user denied access' };
        return reply.redirect(await finish(request, reply, result), 303);
      }
      case 'password':
      case 'code':
        return logIn(request, reply, consent, given);
      case 'allow':
        if (consent.user === null) return send(reply, loginPage(consent.client, { error: null, username: '' }));
        return given.scope.length === 0
          ? sendConsent(reply, consent, consent.user, 'Choose at least one right, or deny the access.')
          : allow(request, reply, consent, consent.user, given.scope);
    }
  });
}
