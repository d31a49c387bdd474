import { ConfigError, parseConfig, parseMigrationConfig } from '../../config/config.ts';
import { trustAuthorities } from '../../config/engine-settings.ts';
import type { Environment } from '../../config/process-environment.ts';
import { finding } from './machine.ts';
import type { Finding } from './machine.ts';

/** Returns true if the environment names engines that `recollect up` does not run: only servers have these settings. */
export function namesEngines(environment: Environment): boolean {
  return Boolean(environment['RECOLLECT_DATABASE_URL']);
}

/** Connects to the engines that the environment names. */
export async function checkExternal(environment: Environment): Promise<Finding[]> {
  try {
    // For its faults: a worker requires more settings than a migration.
    parseConfig(environment);
    // With the addresses of the owner and the admin, which a worker ignores.
    const config = parseMigrationConfig(environment);
    trustAuthorities(config);
    // Their clients are half of all modules.
    const { checkExternalEngines } = await import('../../infra/engines/external/check-engines.ts');
    const engines = await checkExternalEngines(config);
    return engines.map(({ name, result, text, advice }) => finding(result, name, text, advice));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => finding('fail', 'settings', line));
  }
}
