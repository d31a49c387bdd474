export type InstallErrorCode =
  | 'not-json'
  | 'wrong-shape'
  | 'unusable-file'
  | 'read-only'
  | 'changed-meanwhile'
  | 'no-instance'
  | 'bad-address'
  | 'bad-key'
  | 'server-unavailable'
  | 'key-refused'
  | 'key-too-strong'
  | 'no-agent-key';

/** Failure of an installation. The message has the remedy, and no content of settings or keys. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  readonly code: InstallErrorCode;

  constructor(code: InstallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
