import type {
  PasskeyAssertionInput,
  PasskeyAssertionOptions,
  PasskeyRegistrationInput,
  PasskeyRegistrationOptions,
} from '../contract/index.ts';
import { ask } from './ask.ts';

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function base64urlOf(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

const descriptorOf = ({ id, type }: PasskeyAssertionOptions['allowCredentials'][number]) => ({ id: bytesOf(id), type });

/** Returns what the browser takes of the options of a log-in. */
function requestOptions(options: PasskeyAssertionOptions): PublicKeyCredentialRequestOptions {
  return {
    challenge: bytesOf(options.challenge),
    rpId: options.rpId,
    timeout: options.timeout,
    userVerification: options.userVerification,
    allowCredentials: options.allowCredentials.map(descriptorOf),
  };
}

/** Returns what the browser takes of the options of a registration. */
function creationOptions(options: PasskeyRegistrationOptions): PublicKeyCredentialCreationOptions {
  return {
    ...options,
    pubKeyCredParams: [...options.pubKeyCredParams],
    challenge: bytesOf(options.challenge),
    user: { ...options.user, id: bytesOf(options.user.id) },
    excludeCredentials: options.excludeCredentials.map(descriptorOf),
  };
}

/** Returns what the server takes of the credential of a log-in; null if there is none. */
function assertionOf(credential: Credential | null): PasskeyAssertionInput | null {
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

/** Returns what the server takes of a new credential; null if there is none. */
function registrationOf(credential: Credential | null): PasskeyRegistrationInput | null {
  if (!(credential instanceof PublicKeyCredential)) return null;
  const { response, id, rawId } = credential;
  if (!(response instanceof AuthenticatorAttestationResponse)) return null;
  return {
    id,
    rawId: base64urlOf(rawId),
    type: 'public-key',
    response: {
      clientDataJSON: base64urlOf(response.clientDataJSON),
      attestationObject: base64urlOf(response.attestationObject),
    },
  };
}

/** Whether the browser has passkeys: by plain HTTP of another machine it has none. */
export function hasPasskeys(): boolean {
  return 'PublicKeyCredential' in globalThis;
}

/** Logs in by a passkey that the browser offers. Returns the access token; null if the user chose none. @throws AskError */
export async function logInByPasskey(): Promise<string | null> {
  const options = await ask('POST /auth/passkeys/options', {});
  const credential = await navigator.credentials.get({ publicKey: requestOptions(options) }).catch(() => null);
  const assertion = assertionOf(credential);
  if (assertion === null) return null;
  return (await ask('POST /auth/passkeys/verify', { body: { credential: assertion } })).access_token;
}

/** Creates a passkey in the browser and registers it. Returns false if the user created none, or the device has one. @throws AskError */
export async function registerPasskey(name: string): Promise<boolean> {
  const options = await ask('POST /auth/passkeys/register/options', {});
  const created = await navigator.credentials.create({ publicKey: creationOptions(options) }).catch(() => null);
  const credential = registrationOf(created);
  if (credential === null) return false;
  await ask('POST /auth/passkeys/register', { body: { name, credential } });
  return true;
}
