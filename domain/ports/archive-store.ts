/**
 * Stores streams of any length under readable keys: backup sets, archived sessions, exports, the journal of erasures. Adapters:
 * `stores/archive` (a directory, S3-compatible). A key is 1 to 512 characters of `a-z A-Z 0-9 . _ -`, in parts joined by `/`; no part is empty or starts with a dot.
 */
export interface ArchiveStore {
  /** Writes or replaces an object atomically: readers see the complete new object or the old one. @throws ArchiveStoreError, or the source's own error */
  write(key: string, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenObject>;
  /** Streams an object. @throws ArchiveStoreError, of kind `missing` if there is none */
  read(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Lists the objects with a key prefix, ordered by key. @throws ArchiveStoreError */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ListedObject>;
  /** Deletes an object; no effect if there is none. @throws ArchiveStoreError */
  remove(key: string, signal?: AbortSignal): Promise<void>;
  /** Location for messages and logs, without credentials. */
  readonly address: string;
}

export interface WrittenObject {
  readonly bytes: number;
  /** Of the written bytes, hex. */
  readonly sha256: string;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** `missing`: no such object; `full`: no space left; `refused`: credentials or rights; `unavailable`: transient. */
export type ArchiveStoreErrorKind = 'missing' | 'full' | 'refused' | 'unavailable';

export class ArchiveStoreError extends Error {
  override readonly name = 'ArchiveStoreError';
  readonly kind: ArchiveStoreErrorKind;

  constructor(kind: ArchiveStoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
