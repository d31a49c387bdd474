import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A text with who vouches for every byte of it. */
export interface SignedText {
  readonly text: string;
  /** SPKI, base64. */
  readonly publicKey: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

/** SPKI, base64: as in manifests and in settings. */
function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

function privateKeyOf(signingKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(signingKey), format: 'der', type: 'pkcs8' });
}

/** Returns the public half of a signing key (PKCS #8 DER), as SPKI in base64. @throws Error for an invalid key */
export function publicKeyOf(signingKey: Uint8Array): string {
  return publicKeyText(privateKeyOf(signingKey));
}

/** Signs the exact bytes of a text with an Ed25519 key (PKCS #8 DER). @throws Error for an invalid key */
export function signText(text: string, signingKey: Uint8Array): SignedText {
  const key = privateKeyOf(signingKey);
  return { text, publicKey: publicKeyText(key), signature: sign(null, Buffer.from(text), key).toString('base64') };
}

/** Returns true if the signature of the text is valid for the given key; trust is checked elsewhere. */
export function isSigned({ text, publicKey, signature }: SignedText): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return (
      key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
    );
  } catch {
    // A key that is none signs nothing.
    return false;
  }
}
