import { join, resolve } from 'node:path';
import { SPOOL_BYTES } from './limits.ts';

/** What the client takes from the environment of the agent that runs it. */
export interface HookEnvironment {
  /** Where to send and with which key; both or neither. */
  readonly server: { readonly url: string; readonly apiKey: string } | null;
  readonly spoolMaxBytes: number;
}

/** The client's own look at its environment: the configuration's reader would load more than the client itself. */
export function hookEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HookEnvironment {
  const url = environment['RECOLLECT_URL'];
  const apiKey = environment['RECOLLECT_API_KEY'];
  const spoolMaxBytes = Number(environment['RECOLLECT_SPOOL_MAX_BYTES'] || SPOOL_BYTES);
  return {
    server: url && apiKey ? { url, apiKey } : null,
    spoolMaxBytes: Number.isSafeInteger(spoolMaxBytes) && spoolMaxBytes >= 0 ? spoolMaxBytes : SPOOL_BYTES,
  };
}

/** Where the instance or the client keeps its files: the environment, else what the command line says, else the usual place. Absolute. */
export function hookDataDirectory(
  given: string | null,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const named = environment['RECOLLECT_DATA_DIR'] || given;
  return named ? resolve(named) : join(environment['HOME'] || environment['USERPROFILE'] || '.', '.recollect');
}
