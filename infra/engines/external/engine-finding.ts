import { failureReason } from '../../../domain/failure-reason.ts';

/** Result of one check of an engine that the settings name. Contains no secret. */
export interface EngineFinding {
  readonly name: string;
  /** `warn` does not prevent the start of the api and the workers. */
  readonly result: 'ok' | 'warn' | 'fail';
  readonly text: string;
  /** What to do. */
  readonly advice?: string;
}

/** Time for a connection, and for a response, in seconds. */
export const TIMEOUT_SECONDS = 5;

const UNREACHABLE = 'Check address, certificate authority (RECOLLECT_CA_FILE) and credentials: docs/network.md.';

/** Returns the finding of a failed connection; `adviceOf` returns the remedy of a failure, or null for the general one. */
export function unreachable(name: string, error: unknown, adviceOf: (error: unknown) => string | null): EngineFinding {
  return { name, result: 'fail', text: failureReason(error), advice: adviceOf(error) ?? UNREACHABLE };
}

/** Returns the finding of a comparison: `missing` lists what an engine lacks. */
export function complete(name: string, missing: readonly string[], advice: string): EngineFinding {
  return missing.length === 0
    ? { name, result: 'ok', text: 'complete' }
    : { name, result: 'fail', text: `missing: ${missing.join(', ')}`, advice };
}

/** Returns the code of an error of a driver; null without one. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
