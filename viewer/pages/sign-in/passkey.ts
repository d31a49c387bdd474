import type { PasskeyAssertionInput, PasskeyAssertionOptions } from '../../contract/index.ts';

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function base64urlOf(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Returns what the browser takes of the options of the server. */
export function requestOptions(options: PasskeyAssertionOptions): PublicKeyCredentialRequestOptions {
  return {
    challenge: bytesOf(options.challenge),
    rpId: options.rpId,
    timeout: options.timeout,
    userVerification: options.userVerification,
    allowCredentials: options.allowCredentials.map(({ id, type }) => ({ id: bytesOf(id), type })),
  };
}

/** Returns what the server takes of the credential of the browser; null if there is none. */
export function assertionOf(credential: Credential | null): PasskeyAssertionInput | null {
  if (!(credential instanceof PublicKeyCredential)) return null;
  const { response, id, rawId } = credential;
  if (!(response instanceof AuthenticatorAssertionResponse) || response.userHandle === null) return null;
  return {
    id,
    rawId: base64urlOf(rawId),
    type: 'public-key',
    response: {
      clientDataJSON: base64urlOf(response.clientDataJSON),
      authenticatorData: base64urlOf(response.authenticatorData),
      signature: base64urlOf(response.signature),
      userHandle: base64urlOf(response.userHandle),
    },
  };
}
