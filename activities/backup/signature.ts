import { manifestSchema, SET_FORMAT, signedManifestSchema } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';
import { isSigned, signText } from '../../stores/archive/signed-text.ts';

export { publicKeyOf } from '../../stores/archive/signed-text.ts';

/** The text of `manifest.json`: the manifest with an Ed25519 signature over its exact bytes. */
export function signManifest(manifest: Manifest, signingKey: Uint8Array): string {
  const { text, publicKey, signature } = signText(JSON.stringify(manifestSchema.parse(manifest)), signingKey);
  return JSON.stringify({ manifest: text, publicKey, signature });
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackupSetError('damaged', `${what} is no JSON`, { cause });
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
  if (!isSigned({ text: manifest, publicKey, signature }))
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
