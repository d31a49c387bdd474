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
