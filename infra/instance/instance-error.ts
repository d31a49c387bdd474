import { CodedError } from '../coded-error.ts';

/** An unusable data directory. The message has the remedy. */
export class InstanceError extends CodedError<
  'unusable-data-dir' | 'newer-data-dir' | 'failed-upgrade' | 'damaged-file' | 'no-free-port' | 'port-taken'
> {
  override readonly name = 'InstanceError';
}
