import { CodedError } from '../../infra/coded-error.ts';

/** Failure of an installation. The message has the remedy, and no content of settings or keys. */
export class InstallError extends CodedError<
  | 'not-json'
  | 'wrong-shape'
  | 'unusable-file'
  | 'read-only'
  | 'changed-meanwhile'
  | 'no-instance'
  | 'bad-address'
  | 'bad-key'
  | 'no-password'
  | 'server-unavailable'
  | 'key-refused'
  | 'key-too-strong'
  | 'no-agent-key'
  | 'cache-path'
  | 'agent-too-old'
> {
  override readonly name = 'InstallError';
}
