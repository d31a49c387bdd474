import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

/** A provider with one client, at which the account `account` logs in at once. */
export interface TestProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who logs in, with the claims of the account. */
  account: { readonly sub: string } & Readonly<Record<string, unknown>>;
  /** Claims that the id token has instead of those of the account, if the log-in requests them for it. */
  idToken: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

const CLAIMS = ['preferred_username', 'groups', 'department', 'amr', 'email', 'email_verified'];

/** Starts an OpenID Connect provider (package `oidc-provider`) for a client with these callbacks. */
export async function startOidcProvider(
  redirectUris: string[],
  clientSecret = 'secret-of-the-client',
): Promise<TestProvider> {
  let handle: ReturnType<Provider['callback']> | null = null;
  const server = createServer((request, response) => {
    if (handle === null) return;
    void handle(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const issuer = `http://127.0.0.1:${port}`;
  const client = { clientId: 'recollect', clientSecret };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: redirectUris,
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['a key of the test'] },
    features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: CLAIMS, email: [] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async (use) => ({ ...test.account, ...(use === 'id_token' && test.idToken), sub }),
    }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    loadExistingGrant: async ({ oidc }) => {
      const grant = new provider.Grant({ clientId: client.clientId, accountId: test.account.sub });
      grant.addOIDCScope('openid profile email');
      grant.addOIDCClaims(['email_verified']);
      await grant.save();
      return oidc.account === undefined ? undefined : grant;
    },
    ttl: { Interaction: 60, Session: 60, Grant: 60, AuthorizationCode: 60, AccessToken: 60, IdToken: 60 },
  });
  const callback = provider.callback();
  handle = async (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return callback(request, response);
    await provider.interactionFinished(request, response, { login: { accountId: test.account.sub } });
  };
  const test: TestProvider = {
    issuer,
    ...client,
    account: { sub: 'unset' },
    idToken: {},
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return test;
}
