import { hash, randomBytes } from 'node:crypto';

/** 256 bits: a fast hash is sufficient to store such a secret. */
const SECRET_BYTES = 32;
const SHOWN_CHARS = 12;

/** Returns random bytes as text. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Returns a new key. */
export function newKey(): string {
  return `rcl_${newSecret()}`;
}

/** Returns a new token of an invite. */
export function newInviteToken(): string {
  return `rci_${newSecret()}`;
}

/** Returns the first refresh token of a session. */
export function newRefreshToken(): string {
  return `rcr_${newSecret()}`;
}

/** Begins the tokens in the cookies of browsers. */
export const BROWSER_TOKEN_PREFIX = 'rcb_';

/** Returns the token of the cookie of a browser. */
export function newBrowserToken(): string {
  return `${BROWSER_TOKEN_PREFIX}${newSecret()}`;
}

/** Begins the access tokens of OAuth clients. */
export const OAUTH_TOKEN_PREFIX = 'rco_';

/** Returns the first characters of a key, which are stored in clear to recognise it. */
export function prefixOf(key: string): string {
  return key.slice(0, SHOWN_CHARS);
}

/** Returns what is stored of a key, or of the token of an invite. */
export function keySha256(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
