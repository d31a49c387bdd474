export type InstallErrorCode =
  | 'not-json'
  | 'wrong-shape'
  | 'unusable-file'
  | 'read-only'
  | 'changed-meanwhile'
  | 'no-instance'
  | 'bad-address'
  | 'bad-key'
  | 'server-away'
  | 'key-refused'
  | 'key-too-strong'
  | 'no-agent-key';

/** Why nothing was installed. The message says what to do, and quotes neither a settings file nor a key. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  readonly code: InstallErrorCode;

  constructor(code: InstallErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
