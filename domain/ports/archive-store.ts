/**
 * Keeps streams of any length under readable keys: backup sets, archived sessions, exports, the journal of erasures. Adapters:
 * `stores/archive` (a directory, S3-compatible). A key is 1 to 512 characters of `a-z A-Z 0-9 . _ -`, in parts joined by `/`; no part is empty or begins with a dot.
 */
export interface ArchiveStore {
  /** Keeps what the source gives, in place of what was there; seen by readers when it is whole and safe, never a part. @throws ArchiveStoreError, or the source's own error */
  write(key: string, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<WrittenObject>;
  /** The bytes of an object in pieces. @throws ArchiveStoreError, of kind `missing` where there is none */
  read(key: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** What lies under a beginning of keys, ordered by key. @throws ArchiveStoreError */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ListedObject>;
  /** Removes it; without effect where there is nothing. @throws ArchiveStoreError */
  remove(key: string, signal?: AbortSignal): Promise<void>;
  /** For people and logs: where it is, without credentials. */
  readonly address: string;
}

export interface WrittenObject {
  readonly bytes: number;
  /** Of the bytes as they were written, hex. */
  readonly sha256: string;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** `missing`: no such object; `full`: no room left; `refused`: credentials or rights; `unavailable`: may pass by itself. */
export type ArchiveStoreErrorKind = 'missing' | 'full' | 'refused' | 'unavailable';

export class ArchiveStoreError extends Error {
  override readonly name = 'ArchiveStoreError';
  readonly kind: ArchiveStoreErrorKind;

  constructor(kind: ArchiveStoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
