import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { manifestSchema, SET_FORMAT, signedManifestSchema } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { BackupSetError } from '../../domain/keep/set-error.ts';

/** SPKI, base64: as manifests hold it and as settings name whom to trust. */
function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

function privateKeyOf(signingKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(signingKey), format: 'der', type: 'pkcs8' });
}

/** The public half of a signing key (PKCS #8 DER), as SPKI in base64. @throws Error for what is no such key */
export function publicKeyOf(signingKey: Uint8Array): string {
  return publicKeyText(privateKeyOf(signingKey));
}

/** The text of `manifest.json`: the manifest with an Ed25519 signature over its exact bytes. */
export function signManifest(manifest: Manifest, signingKey: Uint8Array): string {
  const key = privateKeyOf(signingKey);
  const text = JSON.stringify(manifestSchema.parse(manifest));
  return JSON.stringify({
    manifest: text,
    publicKey: publicKeyText(key),
    signature: sign(null, Buffer.from(text), key).toString('base64'),
  });
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackupSetError('damaged', `${what} is no JSON`, { cause });
  }
}

function isSigned(text: string, publicKey: string, signature: string): boolean {
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

/**
 * Reads the text of a `manifest.json`, of which one of `trusted` (SPKI, base64) must vouch for every byte.
 * @throws BackupSetError `damaged`, `untrusted` or `newer`
 */
export function readSignedManifest(text: string, trusted: readonly string[]): Manifest {
  const signed = signedManifestSchema.safeParse(parsed(text, 'the manifest'));
  if (!signed.success) throw new BackupSetError('damaged', 'the manifest has not the form of one');
  const { manifest, publicKey, signature } = signed.data;
  if (!isSigned(manifest, publicKey, signature))
    throw new BackupSetError('damaged', 'the manifest is not what was signed');
  if (!trusted.includes(publicKey))
    throw new BackupSetError('untrusted', `the set is signed by ${publicKey}, whom this instance does not trust`);
  const content = parsed(manifest, 'the manifest');
  const read = manifestSchema.safeParse(content);
  if (read.success) return read.data;
  const format: unknown =
    typeof content === 'object' && content !== null && 'format' in content ? content.format : null;
  if (typeof format === 'number' && format > SET_FORMAT)
    throw new BackupSetError('newer', `the set has form ${format}; this version reads form ${SET_FORMAT}`);
  throw new BackupSetError('damaged', 'the manifest has not the form of one');
}
