import { z } from 'zod';
import { line } from './text.ts';

/** Passkeys, in the JSON of WebAuthn Level 3 that browsers read and write. */

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/, 'must be base64url');
const credentialId = base64url(1_400).describe('Id of the credential');

/** Browsers add other members, which have no effect. */
const credential = { id: credentialId, rawId: credentialId, type: z.literal('public-key') };

export const registrationResponse = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(4_096),
      attestationObject: base64url(16_384),
    }),
  })
  .meta({ id: 'PasskeyRegistration' });
export type RegistrationResponse = z.output<typeof registrationResponse>;

export const assertionResponse = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(4_096),
      authenticatorData: base64url(4_096),
      signature: base64url(2_048),
      userHandle: base64url(128).describe('Id of the user, which passkeys contain'),
    }),
  })
  .meta({ id: 'PasskeyAssertion' });
export type AssertionResponse = z.output<typeof assertionResponse>;

const descriptor = z.object({ id: z.string(), type: z.literal('public-key') });

export const registrationOptions = z
  .object({
    challenge: z.string(),
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.number().int() })),
    timeout: z.number().int().describe('ms'),
    attestation: z.literal('none'),
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.object({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification: z.literal('required'),
    }),
  })
  .meta({ id: 'PasskeyRegistrationOptions' });

export const assertionOptions = z
  .object({
    challenge: z.string(),
    rpId: z.string(),
    timeout: z.number().int().describe('ms'),
    userVerification: z.literal('required'),
    allowCredentials: z.array(descriptor).describe('Empty: the browser offers the passkeys that it has'),
  })
  .meta({ id: 'PasskeyAssertionOptions' });

export const passkeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    synced: z.boolean().describe('Its owner can have copies on other devices'),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
  })
  .meta({ id: 'Passkey' });
export const passkeyList = z.object({ data: z.array(passkeySchema) });

const name = line(64).describe('For the list of passkeys, such as the name of the device');
export const registerBody = z.strictObject({ name, credential: registrationResponse });
export const renameBody = z.strictObject({ name });
export const verifyBody = z.strictObject({ credential: assertionResponse });
