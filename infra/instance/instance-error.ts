export type InstanceErrorCode = 'unusable-data-dir' | 'newer-data-dir' | 'damaged-file' | 'no-free-port' | 'port-taken';

/** An unusable data directory. The message has the remedy. */
export class InstanceError extends Error {
  override readonly name = 'InstanceError';
  readonly code: InstanceErrorCode;

  constructor(code: InstanceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
