import { createHash } from 'node:crypto';

/** 32 bytes. */
export const KEY_BYTES = 32;

/** Returns the id of a key for manifests and files: derived by hash, so it reveals nothing of the key. */
export function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** Returns the key with that id; undefined if the instance has none. */
export function keyOfId(keys: readonly Uint8Array[], keyId: string): Uint8Array | undefined {
  return keys.find((key) => keyIdOf(key) === keyId);
}
