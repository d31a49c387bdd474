export type EngineErrorCode =
  | 'bad-path'
  | 'unavailable'
  | 'aborted'
  | 'platform'
  | 'privileges'
  | 'database-damaged'
  | 'set-up-failed';

/** An engine that cannot be found, made or set up. The message says what to do about it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
