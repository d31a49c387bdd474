import { withSettingsFolder } from './settings-folder.ts';

/** Environment variables by name, as a process starts with them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment of this process, with the settings in files of RECOLLECT_SETTINGS_DIR. The only place that reads it: all other code takes
 * it as an argument. @throws Error that names the setting for a folder or a file that cannot be used
 */
export function processEnvironment(): Environment {
  return withSettingsFolder(process.env);
}

/**
 * Turns off the telemetry of libraries that read the environment when they are loaded, unless the operator enabled it. Call it in the main thread,
 * before the library is loaded in any thread: a thread has a copy of the environment, which native code does not see.
 */
export function refuseTelemetry(): void {
  for (const [name, value] of Object.entries(NO_TELEMETRY)) process.env[name] ??= value;
}

/** Variables by which programs find their user, language, temporary files and network. */
export const SYSTEM_NAMES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const;

/** Variable in the environment of supervised processes; identifies their instance even without its data directory. */
export const SUPERVISOR_MARK = 'RECOLLECT_SUPERVISED_BY';

/** What onnxruntime reads: by default it leaves an id of the machine in the home folder and sends events to its vendor. */
export const NO_TELEMETRY = { ORT_DISABLE_TELEMETRY: '1' } as const;
