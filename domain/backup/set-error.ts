/**
 * `missing`: no manifest, so no set; `damaged`: a byte is not as it was written; `no_key`: encrypted with a key that this instance does not have;
 * `untrusted`: signed by nobody that this instance trusts; `newer`: made by a version with another form of sets.
 */
export type BackupSetErrorKind = 'missing' | 'damaged' | 'no_key' | 'untrusted' | 'newer';

/** A backup set that cannot be read. Its message names files and keys by id, never what stands in them. */
export class BackupSetError extends Error {
  override readonly name = 'BackupSetError';
  readonly kind: BackupSetErrorKind;

  constructor(kind: BackupSetErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
