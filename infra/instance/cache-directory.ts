import { platform, userInfo } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';

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

/** Returns the default data directory: RECOLLECT_DATA_DIR, else ~/.recollect. Absolute; touches no file. */
export function defaultDataDirectory(environment: Environment): string {
  const own = environment['RECOLLECT_DATA_DIR'];
  if (own) return path.resolve(own);
  return path.join(environment['HOME'] || userInfo().homedir, '.recollect');
}
