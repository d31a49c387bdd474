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

/** Address of an instance with the default port, as in the plugin's option. */
const DEFAULT_URL = 'http://127.0.0.1:37700';

/**
 * Applies the options of the Claude Code plugin to this process and to those that it starts: they come before the environment's
 * own. A server needs a key; without one it is found as for other hooks.
 */
export function adoptPluginOptions(environment: Record<string, string | undefined> = process.env): void {
  const option = (name: string): string | undefined => environment[`CLAUDE_PLUGIN_OPTION_${name}`]?.trim() || undefined;
  const dataDir = option('DATA_DIR');
  const apiKey = option('API_KEY');
  if (dataDir !== undefined) environment['RECOLLECT_DATA_DIR'] = fromHome(dataDir, environment);
  if (apiKey === undefined) return;
  environment['RECOLLECT_API_KEY'] = apiKey;
  environment['RECOLLECT_URL'] = option('SERVER_URL') ?? DEFAULT_URL;
}

/** Returns a folder with `~` resolved; a relative one is in the home folder, never in the agent's working folder. */
function fromHome(folder: string, environment: Readonly<Record<string, string | undefined>>): string {
  return resolve(homeOf(environment), folder.replace(/^~(?=[/\\]|$)/, '.'));
}

/** Server for which Claude Code requests headers. */
export interface McpServerPlace {
  /** Address of the server, without `/mcp`. */
  readonly url: string;
  readonly dataDir: string;
}

/** Returns the server of the plugin and its data directory, which is in the fragment of the address; null if Claude Code passed no address. */
export function mcpServerPlace(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): McpServerPlace | null {
  const address = environment['CLAUDE_CODE_MCP_SERVER_URL'] ?? '';
  if (!URL.canParse(address)) return null;
  const { origin, pathname, hash } = new URL(address);
  const option = decoded(hash.slice(1));
  if (option === null) return null;
  const dataDir = option === '' ? hookDataDirectory(null, environment) : fromHome(option, environment);
  return { url: `${origin}${pathname.replace(/\/+mcp$/, '')}`, dataDir };
}

/** Decodes a part of an address; null if it is invalid. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // An incomplete escape.
  }
}

/** Returns the settings files of Claude Code that apply to this process, the user's first. */
export function claudeSettingsFiles(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): readonly string[] {
  const user = environment['CLAUDE_CONFIG_DIR'] || join(homeOf(environment), '.claude');
  const project = environment['CLAUDE_PROJECT_DIR'];
  return [
    join(user, 'settings.json'),
    ...(project ? ['settings.json', 'settings.local.json'].map((name) => join(project, '.claude', name)) : []),
  ];
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
