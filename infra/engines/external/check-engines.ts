import type { Config } from '../../../config/config.ts';
import type { EngineFinding } from './engine-finding.ts';
import { checkPostgresRoles } from './postgres.ts';
import { checkTemporal } from './temporal.ts';
import { checkWeaviate } from './weaviate.ts';

/** Connects to each engine that the settings name, as the api and the workers do. Changes nothing; never rejects. */
export async function checkExternalEngines(config: Config): Promise<EngineFinding[]> {
  return (await Promise.all([checkPostgresRoles(config), checkTemporal(config), checkWeaviate(config)])).flat();
}
