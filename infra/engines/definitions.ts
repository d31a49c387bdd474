import type { Environment } from '../../config/process-environment.ts';
import { engineEnvironment } from '../instance/environment.ts';
import type { Instance } from '../instance/instance.ts';
import { instanceLayout } from '../instance/layout.ts';
import type { NodeDefinition } from '../supervisor/definitions.ts';
import { EngineError } from './engine-error.ts';
import { type EngineProgram, TEMPORAL, WEAVIATE } from './pinned.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres/binaries.ts';
import { clearStalePostmaster } from './postgres/cluster.ts';
import { withLibraries } from './postgres/libraries.ts';
import { postgresService } from './postgres/service.ts';
import { type FoundPrograms, resolveEngines, type ResolveOptions } from './resolve.ts';
import { temporalSchemaStep } from './temporal/schema.ts';
import { temporalService } from './temporal/service.ts';
import { weaviateService } from './weaviate/service.ts';

/** Programs of all engines. */
export interface EngineFiles {
  readonly postgres: PostgresBinaries;
  readonly temporalServer: string;
  readonly temporalSqlTool: string;
  readonly weaviateServer: string;
}

/**
 * Resolves the programs of all engines, and ends an unrecorded PostgreSQL of a killed start, whose port would count as
 * in use. Rejects with EngineError.
 */
export async function prepareEngines(options: ResolveOptions & { readonly dataDir: string }): Promise<EngineFiles> {
  await clearStalePostmaster(instanceLayout(options.dataDir).postgres);
  const postgres = withLibraries(await findPostgresBinaries(), options.cacheDir);
  const programs = await resolveEngines([TEMPORAL, WEAVIATE], options);
  return {
    postgres,
    temporalServer: fileOf(programs, 'temporal-server'),
    temporalSqlTool: fileOf(programs, 'temporal-sql-tool'),
    weaviateServer: fileOf(programs, 'weaviate-server'),
  };
}

function fileOf(programs: FoundPrograms, name: EngineProgram['name']): string {
  const program = programs.get(name);
  if (!program) throw new EngineError('unavailable', `${name} was not resolved.`);
  return program.file;
}

/** Returns the engines of an instance's graph, also for test runs. */
export function engineNodes(instance: Instance, files: EngineFiles, parent: Environment): NodeDefinition[] {
  const environment = engineEnvironment(parent);
  return [
    postgresService(instance, files.postgres, environment),
    temporalSchemaStep(instance, files.temporalSqlTool, environment),
    temporalService(instance, files.temporalServer, environment),
    weaviateService(instance, files.weaviateServer, environment),
  ];
}
