import { createHmac } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  discovery,
  fetchUserInfo,
  None,
} from 'openid-client';
import type { ClientAuth, Configuration } from 'openid-client';
import type { OidcProvider } from '../../config/oidc-providers.ts';
import type { OidcClaims } from '../../domain/oidc-rules.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { ApiError } from '../errors.ts';
import { boundedFetch, ProviderUnreachable } from './bounded-fetch.ts';

const DISCOVERED_MS = 3_600_000;
const DISCOVERY_ATTEMPTS = 2;
const RETRY_MS = 250;
/** OpenID Connect Core 1.0, section 2: a subject has up to 255 ASCII characters. */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
/** Age of a log-in at the provider that counts as the one that was requested: the time to come back. */
const REAUTHENTICATION_S = 300;

/** A log-in that a browser started. */
export interface OidcFlow {
  /** Secret of the browser, from which the values of the flow are derived: the server stores its hash only. */
  readonly secret: string;
  /** Address of the callback, as registered at the provider. */
  readonly redirectUri: string;
  /** True: the provider shall authenticate the user again. */
  readonly reauthenticates: boolean;
}

/** A user whose identity the provider has confirmed. */
export interface OidcUser {
  readonly subject: string;
  readonly claims: OidcClaims;
  /** Null if the provider does not report it. */
  readonly authenticatedAt: Date | null;
  /** True if the provider reports several factors (RFC 8176). */
  readonly usedMfa: boolean;
}

function derived({ secret }: OidcFlow, use: 'state' | 'nonce' | 'verifier'): string {
  return createHmac('sha256', secret).update(use).digest('base64url');
}

/** Returns how the client authenticates: by the method that the provider supports, HTTP Basic first. */
function clientAuth(secret: string | null): ClientAuth {
  if (secret === null) return None();
  const basic = ClientSecretBasic(secret);
  const post = ClientSecretPost(secret);
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

function isUnreachable(error: unknown): boolean {
  if (error instanceof ProviderUnreachable) return true;
  return error instanceof Error && error.cause !== undefined && isUnreachable(error.cause);
}

/** The code of an error, without texts of the provider. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** The client of one provider. Its metadata are read at the first use and again after an hour. */
export class OidcClient {
  readonly provider: OidcProvider;
  private readonly log: Logger;
  private cached: { readonly found: Promise<Configuration>; readonly until: number } | null = null;

  constructor(provider: OidcProvider, log: Logger) {
    this.provider = provider;
    this.log = log;
  }

  /** Returns the address at the provider where the user logs in. @throws ApiError OIDC_UNAVAILABLE */
  async authorizationUrl(flow: OidcFlow): Promise<URL> {
    return buildAuthorizationUrl(await this.configuration(), {
      redirect_uri: flow.redirectUri,
      scope: this.provider.scopes.join(' '),
      state: derived(flow, 'state'),
      nonce: derived(flow, 'nonce'),
      code_challenge: await calculatePKCECodeChallenge(derived(flow, 'verifier')),
      code_challenge_method: 'S256',
      ...(flow.reauthenticates && { prompt: 'login', max_age: '0' }),
    });
  }

  /** Returns the user of a callback. `query`: its parameters, as received. @throws ApiError OIDC_FAILED, OIDC_UNAVAILABLE */
  async userOf(flow: OidcFlow, query: string): Promise<OidcUser> {
    const configuration = await this.configuration();
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(`${flow.redirectUri}?${query}`), {
        expectedState: derived(flow, 'state'),
        expectedNonce: derived(flow, 'nonce'),
        pkceCodeVerifier: derived(flow, 'verifier'),
        idTokenExpected: true,
        ...(flow.reauthenticates && { maxAge: REAUTHENTICATION_S }),
      });
      const token = tokens.claims();
      if (token === undefined || !SUBJECT.test(token.sub)) throw new Error('no id token of a user');
      const more: OidcClaims =
        configuration.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await fetchUserInfo(configuration, tokens.access_token, token.sub);
      // An address of one answer must not pass as verified by the other.
      const { email, email_verified } = 'email' in token ? token : more;
      return {
        subject: token.sub,
        claims: { ...more, ...token, email, email_verified },
        authenticatedAt: token.auth_time === undefined ? null : new Date(token.auth_time * 1_000),
        usedMfa: [token['amr']].flat().includes('mfa'),
      };
    } catch (error) {
      throw this.failure(error);
    }
  }

  private failure(error: unknown): ApiError {
    const { name } = this.provider;
    this.log.warn({ provider: name, reason: reasonOf(error) }, 'a log-in by OpenID Connect failed');
    if (isUnreachable(error)) return this.unavailable();
    return new ApiError('OIDC_FAILED', `the log-in by ${name} is not valid; start it again`);
  }

  private unavailable(): ApiError {
    const { name } = this.provider;
    return new ApiError('OIDC_UNAVAILABLE', `the log-in provider ${name} does not answer as expected; try again`);
  }

  private async configuration(): Promise<Configuration> {
    const known = this.cached;
    const { found } = known !== null && known.until > performance.now() ? known : this.discover();
    try {
      return await found;
    } catch (error) {
      if (this.cached?.found === found) this.cached = null;
      this.log.warn({ provider: this.provider.name, reason: reasonOf(error) }, 'a log-in provider is unavailable');
      throw this.unavailable();
    }
  }

  private discover() {
    const cached = { found: this.read(), until: performance.now() + DISCOVERED_MS };
    this.cached = cached;
    return cached;
  }

  private async read(attempt = 1): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.provider;
    try {
      return await discovery(new URL(issuer), clientId, undefined, clientAuth(clientSecret), {
        [customFetch]: boundedFetch,
        // The issuer is HTTPS or on this machine; `boundedFetch` checks its other addresses.
        ...(issuer.startsWith('http:') && { execute: [allowInsecureRequests] }),
      });
    } catch (error) {
      if (attempt === DISCOVERY_ATTEMPTS) throw error;
      await wait(RETRY_MS);
      return this.read(attempt + 1);
    }
  }
}
