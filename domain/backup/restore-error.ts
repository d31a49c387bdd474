/** `refused`: what is there may not be replaced; `unproved`: what was restored is not what the set says. */
export type RestoreErrorKind = 'refused' | 'unproved';

/** A restore that is not gone on with. Its message names tables and files, never what stands in them. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly kind: RestoreErrorKind;

  constructor(kind: RestoreErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
