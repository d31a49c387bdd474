export type InstanceErrorCode = 'unusable-data-dir' | 'newer-data-dir' | 'damaged-file' | 'no-free-port' | 'port-taken';

/** A data directory that cannot be used as it is. The message says what to do about it. */
export class InstanceError extends Error {
  override readonly name = 'InstanceError';
  readonly code: InstanceErrorCode;

  constructor(code: InstanceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
