import { createHmac, generateKeyPairSync } from 'node:crypto';
import { errors, interactionPolicy, Provider } from 'oidc-provider';
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { OauthConfig } from '../../config/oauth-settings.ts';
import { OAUTH_SCOPES } from '../../domain/oauth.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { RefreshResult } from '../../telemetry/api-metrics.ts';
import { createAdapter } from './adapter.ts';
import { OAUTH_TOKEN_PREFIX } from '../../stores/postgres/access/secrets.ts';
import { createDocumentFetch } from './client-documents.ts';
import { checkRedirects, hostOfClient } from './client-rules.ts';
import { errorPage } from './pages.ts';
import type { ClientShown } from './pages.ts';

/** Path of the authorization server. */
export const OAUTH_PATH = '/oauth';
/** Paths below it. */
export const OAUTH_ROUTES = {
  authorization: '/auth',
  token: '/token',
  revocation: '/revoke',
  registration: '/register',
  interaction: '/interaction',
} as const;

/** Characters of the name of a client that are shown and stored. */
const LONGEST_NAME = 100;

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
const TTL_S = {
  AuthorizationCode: MINUTE_S,
  AccessToken: HOUR_S,
  RefreshToken: 30 * DAY_S,
  Interaction: 15 * MINUTE_S,
  // The grant's row has its own end.
  Grant: 180 * DAY_S,
  // Not stored.
  Session: MINUTE_S,
  IdToken: MINUTE_S,
};

const { Check, Prompt } = interactionPolicy;

/** Returns how the pages name the client. */
function shownClient({ client, params }: KoaContextWithOIDC['oidc']): ClientShown {
  const redirectUri = typeof params?.['redirect_uri'] === 'string' ? params['redirect_uri'] : '';
  return {
    name: client?.clientName?.slice(0, LONGEST_NAME).toWellFormed() ?? null,
    host: hostOfClient(client?.clientId ?? '', redirectUri),
  };
}

/** Every authorization needs both: no cookie identifies a user here, so a page of another site cannot get a consent without the user. */
function prompts() {
  const once = (name: 'login' | 'consent', error: string) =>
    new Prompt(
      { name, requestable: true },
      ({ oidc }: KoaContextWithOIDC) => ({ client: shownClient(oidc) }),
      new Check(
        name,
        `${name} is required`,
        error,
        ({ oidc }: KoaContextWithOIDC) => oidc.result?.[name] === undefined,
      ),
    );
  return [once('login', 'login_required'), once('consent', 'consent_required')];
}

/** Addresses of an authorization server. */
export interface OauthAddresses {
  /** Issuer identifier. */
  readonly issuer: string;
  /** The protected resource, audience of all tokens. */
  readonly resource: string;
}

/** Returns the addresses of the authorization server of an api. */
export function addressesOf({ origin }: OauthConfig): OauthAddresses {
  return { issuer: `${origin}${OAUTH_PATH}`, resource: `${origin}/mcp` };
}

export interface AuthorizationServerOptions {
  readonly database: Database;
  readonly oauth: OauthConfig;
  /** Returns true if this address may cause one more request to another host. */
  readonly mayFetch: (address: string) => Promise<boolean>;
  /** Called for every use of a refresh token. */
  readonly onRefresh: (result: RefreshResult) => void;
}

function configurationOf({ database, oauth, mayFetch, onRefresh }: AuthorizationServerOptions): Configuration {
  const { issuer, resource } = addressesOf(oauth);
  const adapterOptions = {
    database,
    resource,
    onRefresh,
    resumeUrl: (id: string) => `${issuer}${OAUTH_ROUTES.authorization}/${id}`,
  };
  const isSecure = oauth.origin.startsWith('https:');
  const cookie = { httpOnly: true, sameSite: 'lax', secure: isSecure, signed: false } as const;
  const prefix = isSecure ? '__Secure-' : '';
  return {
    adapter: createAdapter(adapterOptions, () => (Provider.ctx?.oidc.route === 'revocation' ? 'client' : 'reuse')),
    // Required by the library; no token here is signed.
    jwks: {
      keys: [{ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'EdDSA' }],
    },
    scopes: [...OAUTH_SCOPES],
    responseTypes: ['code'],
    clientAuthMethods: ['none'],
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'EdDSA',
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    extraClientMetadata: {
      properties: ['redirect_uris'],
      validator: (_context, _name, value, metadata) => checkRedirects(value, metadata),
    },
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    allowOmittingSingleRegisteredRedirectUri: false,
    cookies: {
      names: {
        session: `${prefix}oauth_session`,
        interaction: `${prefix}oauth_consent`,
        resume: `${prefix}oauth_resume`,
      },
      long: cookie,
      short: cookie,
    },
    routes: {
      authorization: OAUTH_ROUTES.authorization,
      token: OAUTH_ROUTES.token,
      revocation: OAUTH_ROUTES.revocation,
      registration: OAUTH_ROUTES.registration,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true },
      registration: { enabled: oauth.registration, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: ({ ip }) => mayFetch(ip),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget();
          return {
            scope: OAUTH_SCOPES.join(' '),
            audience: resource,
            accessTokenTTL: TTL_S.AccessToken,
            accessTokenFormat: 'opaque',
          };
        },
      },
    },
    interactions: { policy: prompts(), url: (_context, { uid }) => `${OAUTH_PATH}${OAUTH_ROUTES.interaction}/${uid}` },
    ttl: TTL_S,
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grantId = oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId);
    },
    expiresWithSession: () => false,
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    // With a token, its grant ends.
    revokeGrantPolicy: () => true,
    renderError: (context, { error, error_description: description }) => {
      const page = errorPage(description ?? error);
      context.set(page.headers);
      context.type = 'html';
      context.body = page.html;
    },
    fetch: createDocumentFetch(oauth.privateClientHosts),
  };
}

interface CreatesIds {
  generateTokenId: () => string;
}

/** Returns the methods of a model of the library that its types lack. */
function creatorOf(model: { readonly prototype: unknown }): CreatesIds {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every model has this method
  return model.prototype as CreatesIds;
}

/** Marks access tokens, so that the api knows them by their form. */
function markAccessTokens(provider: Provider): void {
  const tokens = creatorOf(provider.AccessToken);
  const createId = tokens.generateTokenId;
  tokens.generateTokenId = function markedId() {
    return `${OAUTH_TOKEN_PREFIX}${createId.call(this)}`;
  };
}

/**
 * Derives a refresh token from the one before and a secret of its grant that no client knows: processes of a client that refresh at once get the same
 * token, so a used one that comes back later is a theft.
 */
function deriveRefreshTokens(provider: Provider): void {
  const tokens = creatorOf(provider.RefreshToken);
  const createId = tokens.generateTokenId;
  tokens.generateTokenId = function derivedId() {
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken;
    if (rotated?.sessionUid === undefined) return createId.call(this);
    return createHmac('sha256', rotated.sessionUid).update(rotated.jti).digest('base64url');
  };
}

/** Returns the authorization server: OAuth 2.1 for public clients. Its routes are mounted in mount.ts. */
export function createAuthorizationServer(options: AuthorizationServerOptions): Provider {
  const provider = new Provider(addressesOf(options.oauth).issuer, configurationOf(options));
  // Host and scheme of a request are those of the public address (mount.ts).
  provider.proxy = true;
  provider.use(async (context, next) => {
    const own = new Set(Object.keys(context.response.headers));
    await next();
    for (const name of Object.keys(context.response.headers))
      if (name.startsWith('access-control-') && !own.has(name)) context.remove(name);
    // The cookie of a user that the library sets after a log-in.
    const cookies = [context.response.get('set-cookie')].flat().filter((each) => !/oauth_session(?:=|\.)/.test(each));
    context.remove('set-cookie');
    if (cookies.length > 0)
      context.set(
        'set-cookie',
        cookies.filter((each) => each !== ''),
      );
  });
  // Clients are public: none gets a secret, so none is stored.
  Object.assign(provider.Client, { needsSecret: () => false });
  markAccessTokens(provider);
  deriveRefreshTokens(provider);
  provider.on('grant.error', ({ oidc: { params, entities } }) => {
    // Those that rotated are counted by the adapter.
    if (params?.['grant_type'] !== 'refresh_token' || entities.RotatedRefreshToken !== undefined) return;
    options.onRefresh(entities.RefreshToken?.consumed === true ? 'reused' : 'refused');
  });
  return provider;
}
