import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import type {
  AssertionResponse,
  assertionOptions,
  RegistrationResponse,
  registrationOptions,
} from '../../../contract/passkeys.ts';

type Cbor = number | string | Uint8Array | Map<number | string, Cbor>;

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length);
  if (length < 256) return Buffer.of((major << 5) | 24, length);
  return Buffer.of((major << 5) | 25, length >> 8, length & 255);
}

/** CBOR of RFC 8949, as far as attestations use it. */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, each]) => [cbor(key), cbor(each)])]);
  return Buffer.concat([head(2, value.byteLength), value]);
}

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

const FLAGS = { present: 0x01, verified: 0x04, attested: 0x40 } as const;

/** Deviations from a correct answer. */
export interface AuthenticatorFault {
  readonly origin?: string;
  readonly challenge?: string;
  readonly rpId?: string;
  /** True: the user only touches the authenticator. */
  readonly isUnverified?: boolean;
  readonly userHandle?: string;
  readonly signCount?: number;
  readonly attestation?: Map<string, Cbor>;
  readonly format?: string;
}

/** A passkey in software: keys by node:crypto, CBOR by hand, no attestation. */
export class SoftwareAuthenticator {
  readonly id = text(randomBytes(32));
  signCount = 0;
  private readonly origin: string;
  private readonly algorithm: -7 | -8;
  private readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  private userHandle = '';

  constructor(origin: string, algorithm: -7 | -8 = -7) {
    this.origin = origin;
    this.algorithm = algorithm;
    this.keys = algorithm === -7 ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  }

  /** Answers `navigator.credentials.create`. */
  create(options: z.output<typeof registrationOptions>, fault: AuthenticatorFault = {}): RegistrationResponse {
    this.userHandle = options.user.id;
    const clientDataJSON = this.clientData('webauthn.create', options.challenge, fault);
    const credentialId = Buffer.from(this.id, 'base64url');
    const attested = [Buffer.alloc(16), Buffer.of(0, credentialId.byteLength), credentialId, cbor(this.coseKey())];
    const authData = Buffer.concat([this.authData(options.rp.id, FLAGS.attested, fault), ...attested]);
    const attestationObject = cbor(
      new Map<string, Cbor>([
        ['fmt', fault.format ?? 'none'],
        ['attStmt', fault.attestation ?? new Map()],
        ['authData', authData],
      ]),
    );
    return this.credential({ clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) });
  }

  /** Answers `navigator.credentials.get`. */
  get(options: z.output<typeof assertionOptions>, fault: AuthenticatorFault = {}): AssertionResponse {
    const clientDataJSON = this.clientData('webauthn.get', options.challenge, fault);
    const authenticatorData = this.authData(options.rpId, 0, fault);
    const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
    const signature = sign(this.algorithm === -7 ? 'sha256' : null, signed, this.keys.privateKey);
    return this.credential({
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: fault.userHandle ?? this.userHandle,
    });
  }

  private credential<Response>(response: Response) {
    return { id: this.id, rawId: this.id, type: 'public-key' as const, response };
  }

  private clientData(type: string, challenge: string, fault: AuthenticatorFault): Buffer {
    const { origin = this.origin } = fault;
    return Buffer.from(JSON.stringify({ type, challenge: fault.challenge ?? challenge, origin, crossOrigin: false }));
  }

  private authData(rpId: string, flags: number, fault: AuthenticatorFault): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(fault.signCount ?? this.signCount);
    const all = flags | FLAGS.present | (fault.isUnverified === true ? 0 : FLAGS.verified);
    return Buffer.concat([sha256(fault.rpId ?? rpId), Buffer.of(all), count]);
  }

  private coseKey(): Map<number, Cbor> {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' });
    const common: [number, Cbor][] = [
      [1, this.algorithm === -7 ? 2 : 1],
      [3, this.algorithm],
      [-1, this.algorithm === -7 ? 1 : 6],
      [-2, Buffer.from(x, 'base64url')],
    ];
    return new Map(this.algorithm === -7 ? [...common, [-3, Buffer.from(y, 'base64url')]] : common);
  }
}
