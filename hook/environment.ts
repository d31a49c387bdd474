import { delimiter, isAbsolute, join, resolve } from 'node:path';
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
  return named ? resolve(named) : join(homeOf(environment), '.recollect');
}

/**
 * Not a relative path if the environment names none: the folder that an agent works in would choose the server and its key. The module is
 * not imported: it is rarely needed.
 */
function homeOf(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['HOME'] || environment['USERPROFILE'] || process.getBuiltinModule('node:os').userInfo().homedir;
}

/** Who runs the client: whose repositories it enters, and where it looks for git. */
export interface HookUser {
  /** The user's number and, as git has it, that of the user who called sudo. Null on a system without such numbers. */
  readonly ids: readonly number[] | null;
  readonly home: string;
  /** The PATH without relative folders, which would be folders of the project. */
  readonly programFolders: string;
}

export function hookUser(environment: Readonly<Record<string, string | undefined>> = process.env): HookUser {
  const own = process.geteuid?.();
  const caller = own === 0 ? Number(environment['SUDO_UID'] || Number.NaN) : Number.NaN;
  return {
    ids: own === undefined ? null : Number.isInteger(caller) ? [own, caller] : [own],
    home: homeOf(environment),
    programFolders: (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter),
  };
}
