import { createHash, randomBytes } from 'node:crypto';
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

export const REDIRECT = 'http://127.0.0.1:34567/callback';

/** What an MCP client stores of an authorization, in memory. */
export class StoredAuthorization implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadata: OAuthClientMetadata = { client_name: 'Test client', redirect_uris: [REDIRECT] };
  readonly clientMetadataUrl?: string;
  information: StoredOAuthClientInformation | undefined;
  stored: StoredOAuthTokens | undefined;
  /** Where the client sent its user. */
  address: URL | undefined;
  private verifier = '';

  constructor(clientMetadataUrl?: string) {
    if (clientMetadataUrl !== undefined) this.clientMetadataUrl = clientMetadataUrl;
  }

  clientInformation() {
    return this.information;
  }

  saveClientInformation(information: StoredOAuthClientInformation) {
    this.information = information;
  }

  tokens() {
    return this.stored;
  }

  saveTokens(tokens: StoredOAuthTokens) {
    this.stored = tokens;
  }

  invalidateCredentials() {
    this.stored = undefined;
  }

  redirectToAuthorization(address: URL) {
    this.address = address;
  }

  saveCodeVerifier(verifier: string) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }
}

/** A verifier with its challenge (RFC 7636). */
export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}
