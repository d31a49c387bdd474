/**
 * `missing`: no manifest; `damaged`: a byte differs from the one written; `no_key`: encrypted with a key that this instance lacks;
 * `untrusted`: signed with a key that this instance does not trust; `newer`: unsupported format version.
 */
export type BackupSetErrorKind = 'missing' | 'damaged' | 'no_key' | 'untrusted' | 'newer';

/** A backup set that cannot be read. The message names files and keys by id, never their content. */
export class BackupSetError extends Error {
  override readonly name = 'BackupSetError';
  readonly kind: BackupSetErrorKind;

  constructor(kind: BackupSetErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** `refused`: existing data may not be replaced; `unproved`: the restored data differs from the set. */
export type RestoreErrorKind = 'refused' | 'unproved';

/** A restore failed. The message names tables and files, never their content. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly kind: RestoreErrorKind;

  constructor(kind: RestoreErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
