import { join, resolve } from 'node:path';
import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';

/** The client as the build makes it: plain JavaScript in one file for what every hook runs. */
export const BUILT_CLIENT = join(import.meta.dirname, 'built', 'client.cjs');

export interface HookCommandLineOptions {
  readonly dataDir?: string;
  readonly host?: string;
  readonly namespace?: string;
}

/** A word that a POSIX shell takes as it is. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The shell command that runs the client for one event: the Node that runs now and the built client by their absolute paths, so that
 * neither `PATH` nor a version manager is asked at every hook.
 */
export function hookCommandLine(event: string, options: HookCommandLineOptions = {}): string {
  const { dataDir, host = DEFAULT_HOST, namespace = DEFAULT_NAMESPACE } = options;
  return [
    process.execPath,
    BUILT_CLIENT,
    event,
    ...(host === DEFAULT_HOST ? [] : ['--host', host]),
    ...(namespace === DEFAULT_NAMESPACE ? [] : ['--namespace', namespace]),
    ...(dataDir === undefined ? [] : ['--data-dir', resolve(dataDir)]),
  ]
    .map((word) => quoted(word))
    .join(' ');
}
