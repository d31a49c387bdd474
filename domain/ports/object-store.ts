/** Stores bytes that are too large for a row. One adapter, `stores/files`; a port because domain/capture writes full values and may not import stores. */
export interface ObjectStore {
  /**
   * Writes or replaces an object; resolves once it is durable. A key is any text of 1 to 512 characters.
   * @throws ObjectTooLarge, RangeError for an invalid key, or the adapter's error if nothing was written
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Returns the complete object; null if there is none. */
  get(key: string): Promise<Uint8Array | null>;
  /** Deletes an object; no effect if there is none. */
  delete(key: string): Promise<void>;
}

/** The object exceeds the store's limit. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`an object may have at most ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** Key of a tenant's full value; the note in the row names the hash. */
export function fullValueKey(tenantId: string, sha256: string): string {
  return `tenants/${tenantId}/full-values/${sha256}`;
}
