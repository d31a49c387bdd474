import { join, resolve } from 'node:path';
import { DEFAULT_HOST, DEFAULT_NAMESPACE } from './hosts.ts';

/** Built client: plain JavaScript for every hook. */
export const BUILT_CLIENT = join(import.meta.dirname, 'built', 'client.cjs');

export interface HookCommandLineOptions {
  /** Default: the built client of this program. */
  readonly client?: string;
  readonly dataDir?: string;
  readonly host?: string;
  readonly namespace?: string;
}

/** Quotes a word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Returns the shell command that runs the client for one event: absolute paths of the current Node and the client, so that
 * hooks do not depend on `PATH` or a version manager.
 */
export function hookCommandLine(event: string, options: HookCommandLineOptions = {}): string {
  const { client = BUILT_CLIENT, dataDir, host = DEFAULT_HOST, namespace = DEFAULT_NAMESPACE } = options;
  return [
    process.execPath,
    client,
    event,
    ...(host === DEFAULT_HOST ? [] : ['--host', host]),
    ...(namespace === DEFAULT_NAMESPACE ? [] : ['--namespace', namespace]),
    ...(dataDir === undefined ? [] : ['--data-dir', resolve(dataDir)]),
  ]
    .map((word) => quoted(word))
    .join(' ');
}
