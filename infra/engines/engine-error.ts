export type EngineErrorCode =
  | 'bad-path'
  | 'unavailable'
  | 'aborted'
  | 'platform'
  | 'privileges'
  | 'database-damaged'
  | 'set-up-failed';

/** Failure to find, build or set up an engine. The message has the remedy. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
