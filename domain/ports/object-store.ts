/** Keeps bytes that are too large for a row. Adapter: `stores/objects` (a directory). */
export interface ObjectStore {
  /**
   * Keeps the bytes under the key, in place of what was there; done once they are safe. A key is any text of 1 to 512 characters.
   * @throws ObjectTooLarge, RangeError for such a key, or the adapter's error where nothing was written
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** What was put there last, whole; null for nothing. */
  get(key: string): Promise<Uint8Array | null>;
  /** Removes it; without effect where there is nothing. */
  delete(key: string): Promise<void>;
}

/** More bytes than the store takes. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`an object may have at most ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** Under which key a tenant's whole value is kept: the hash is the one that the note in the row names. */
export function fullValueKey(tenantId: string, sha256: string): string {
  return `tenants/${tenantId}/full-values/${sha256}`;
}
