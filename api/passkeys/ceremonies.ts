import { randomBytes } from 'node:crypto';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import type { AssertionResponse, RegistrationResponse } from '../../contract/passkeys.ts';
import type { RelyingParty } from './relying-party.ts';

/** COSE algorithms of accepted keys: EdDSA, ES256, RS256. The library would offer an experimental one first. */
export const ALGORITHMS = [-8, -7, -257];

/** Returns a challenge, as it is in the client data. */
export function newChallenge(): string {
  return randomBytes(32).toString('base64url');
}

const clientData = z.object({ challenge: z.string().min(1).max(128) });

/** Returns the challenge that a response repeats; null if it is not readable. */
export function challengeOf({ response }: { readonly response: { readonly clientDataJSON: string } }): string | null {
  try {
    const text: unknown = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString());
    return clientData.safeParse(text).data?.challenge ?? null;
  } catch {
    // Sent by the caller: the response is refused.
    return null;
  }
}

/** Returns the bytes of a base64url text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}

/** Returns the id of a user as passkeys contain it: no name or address. */
export function userHandleOf(userId: string): string {
  return Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** A credential that an authenticator created. */
export interface CreatedCredential {
  readonly credentialId: Uint8Array<ArrayBuffer>;
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signCount: number;
  readonly synced: boolean;
}

/** Formats without certificates: others contain addresses that a check would fetch. Browsers send them, since the options ask for none. */
function hasCertificates(attestationObject: string): boolean {
  const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const format = decoded.get('fmt');
  return format !== 'none' && (format !== 'packed' || decoded.get('attStmt').get('x5c') !== undefined);
}

/** Returns the credential of a registration; null if it is not one for this challenge and origin, with user verification. */
export async function verifiedRegistration(
  response: RegistrationResponse,
  challenge: string,
  { id, origin }: RelyingParty,
): Promise<CreatedCredential | null> {
  try {
    if (hasCertificates(response.response.attestationObject)) return null;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return null;
    const { credential, credentialDeviceType } = registrationInfo;
    return {
      credentialId: bytesOf(credential.id),
      publicKey: new Uint8Array(credential.publicKey),
      signCount: credential.counter,
      synced: credentialDeviceType === 'multiDevice',
    };
  } catch {
    // The library throws for every fault of the response.
    return null;
  }
}

/** Returns the counter of a log-in whose signature is right; null if it is not one for this challenge and origin, with user verification. The caller compares the counter. */
export async function verifiedAssertion(
  response: AssertionResponse,
  challenge: string,
  publicKey: Uint8Array<ArrayBuffer>,
  { id, origin }: RelyingParty,
): Promise<number | null> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...response, clientExtensionResults: {} },
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: id,
      requireUserVerification: true,
      // Compared after the signature, by the statement that stores it: here a forged one would count as a copy of the authenticator.
      credential: { id: response.id, publicKey, counter: 0 },
    });
    return verified ? authenticationInfo.newCounter : null;
  } catch {
    return null;
  }
}
