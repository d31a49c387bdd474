import path from 'node:path';
import { platform, userInfo } from 'node:os';
import type { Environment } from '../../config/process-environment.ts';

/** Absolute paths of an instance's files. */
export interface InstanceLayout {
  readonly dataDir: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly weaviate: string;
  readonly logs: string;
  /** Runtime files: state, lock, ports, socket. */
  readonly run: string;
  readonly secretsFile: string;
  readonly credentialsFile: string;
  readonly versionFile: string;
  readonly portsFile: string;
  readonly stateFile: string;
  readonly lockFile: string;
}

/** Returns the layout of a data directory. Touches no file. */
export function instanceLayout(dataDir: string): InstanceLayout {
  const root = path.resolve(dataDir);
  const run = path.join(root, 'run');
  return {
    dataDir: root,
    postgres: path.join(root, 'postgres'),
    temporal: path.join(root, 'temporal'),
    weaviate: path.join(root, 'weaviate'),
    logs: path.join(root, 'logs'),
    run,
    secretsFile: path.join(root, 'secrets.json'),
    credentialsFile: path.join(root, 'credentials.json'),
    versionFile: path.join(root, 'version.json'),
    portsFile: path.join(run, 'ports.json'),
    stateFile: path.join(run, 'state.json'),
    lockFile: path.join(run, 'supervisor.lock'),
  };
}

/**
 * Returns the cache folder for engines and models, shared by all instances of a user:
 * RECOLLECT_CACHE_DIR, else XDG_CACHE_HOME/recollect, else the platform's usual place. Absolute; touches no file.
 */
export function cacheDirectory(environment: Environment, system: NodeJS.Platform = platform()): string {
  const own = environment['RECOLLECT_CACHE_DIR'];
  if (own) return path.resolve(own);
  const shared = environment['XDG_CACHE_HOME'];
  if (shared && path.isAbsolute(shared)) return path.join(shared, 'recollect');
  const home = environment['HOME'] || userInfo().homedir;
  return system === 'darwin'
    ? path.join(home, 'Library', 'Caches', 'recollect')
    : path.join(home, '.cache', 'recollect');
}

/** Returns the folder of compiled modules in a cache folder. */
export function compileCacheIn(cacheDir: string): string {
  return path.join(cacheDir, 'compile');
}

/** Returns the default data directory: RECOLLECT_DATA_DIR, else ~/.recollect. Absolute; touches no file. */
export function defaultDataDirectory(environment: Environment): string {
  const own = environment['RECOLLECT_DATA_DIR'];
  if (own) return path.resolve(own);
  return path.join(environment['HOME'] || userInfo().homedir, '.recollect');
}
