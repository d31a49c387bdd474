import { createHash } from 'node:crypto';

/** 32 bytes. */
export const KEY_BYTES = 32;

/** The name that a key goes by in manifests and files: it says nothing of the key. */
export function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** The key of that name among those that an instance has; undefined where it has none such. */
export function keyOfId(keys: readonly Uint8Array[], keyId: string): Uint8Array | undefined {
  return keys.find((key) => keyIdOf(key) === keyId);
}
