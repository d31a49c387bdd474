import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SPOOL_BYTES } from './limits.ts';

/** Returns milliseconds since the process start. Not `performance.now()`, whose module takes 1 ms to load. */
export function elapsedMs(): number {
  return process.uptime() * 1_000;
}

/** Settings of the client from the agent's environment. */
export interface HookEnvironment {
  /** Address and key; both or neither. */
  readonly server: { readonly url: string; readonly apiKey: string } | null;
  readonly spoolMaxBytes: number;
}

/** Returns the client's settings. Separate from config/, whose code is larger than the client. */
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

/**
 * Returns true within a model request of Recollect itself, which runs the user's `claude`: a captured one would be summarised by another. Set by
 * `models/claude-cli/program.ts`.
 */
export function isInternalRun(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return (environment['RECOLLECT_INTERNAL'] ?? '') !== '';
}

/** Returns the absolute data directory: of the environment, else the command line, else the default. */
export function hookDataDirectory(
  given: string | null,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const named = environment['RECOLLECT_DATA_DIR'] || given;
  return named ? resolve(named) : join(homeOf(environment), '.recollect');
}

/**
 * Never a relative path: the agent's working folder would choose the server and its key. The module is loaded on demand, since it is
 * rarely needed.
 */
function homeOf(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['HOME'] || environment['USERPROFILE'] || process.getBuiltinModule('node:os').userInfo().homedir;
}

/** User of the client: owner of readable repositories, and PATH for git. */
export interface HookUser {
  /** Ids of the user and, as in git, of the user who called sudo. Null on systems without ids. */
  readonly ids: readonly number[] | null;
  readonly home: string;
  /** PATH without relative folders, which a project could provide. */
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
