import { CodedError } from '../coded-error.ts';

/** Failure to find, build or set up an engine. The message has the remedy. */
export class EngineError extends CodedError<
  'bad-path' | 'unavailable' | 'aborted' | 'platform' | 'privileges' | 'database-damaged' | 'set-up-failed'
> {
  override readonly name = 'EngineError';
}
