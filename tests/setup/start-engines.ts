import type { Environment } from '../../config/process-environment.ts';
import { temporalAddress, weaviateUrl } from '../../infra/instance/environment.ts';
import type { Instance } from '../../infra/instance/instance.ts';
import { runInstance } from '../../infra/supervisor/run-instance.ts';
import type { Progress } from '../../infra/supervisor/progress.ts';
import type { SupervisedService } from '../../infra/supervisor/supervised-service.ts';
import { engineNodes, prepareEngines } from '../../infra/engines/definitions.ts';
import { SUPERUSER } from '../../infra/engines/postgres/cluster.ts';

export interface StartEnginesOptions {
  readonly dataDir: string;
  readonly cacheDir: string;
  readonly environment: Environment;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** `saved` uses the data directory's ports or the defaults. Default `free`: beside a running instance. */
  readonly ports?: 'saved' | 'free';
}

export type EngineName = 'postgres' | 'temporal' | 'weaviate';

export interface RunningEngines {
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  readonly temporal: { readonly address: string };
  readonly weaviate: { readonly url: string; readonly grpcPort: number; readonly apiKey: string };
  readonly instance: Instance;
  /** Process, state and control of one engine. */
  service(name: EngineName): SupervisedService;
  /** Stops all engines cleanly. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL, Temporal and Weaviate, supervised by this process; resolves once all are ready.
 * Rejects with EngineError, InstanceError or SupervisorError, without leaving a process.
 */
export async function startEngines(options: StartEnginesOptions): Promise<RunningEngines> {
  const { instance, supervisor, stop } = await runInstance({
    dataDir: options.dataDir,
    progress: options.progress,
    signal: options.signal,
    preferPorts: options.ports ?? 'free',
    prepare: () => prepareEngines(options),
    nodes: (opened, files) => engineNodes(opened, files, options.environment),
  });
  return {
    postgres: {
      host: '127.0.0.1',
      port: instance.ports.postgres,
      user: SUPERUSER,
      password: instance.secrets.postgresSuperuser,
    },
    temporal: { address: temporalAddress(instance) },
    weaviate: {
      url: weaviateUrl(instance),
      grpcPort: instance.ports.weaviateGrpc,
      apiKey: instance.secrets.weaviateApiKey,
    },
    instance,
    service: (name) => supervisor.service(name),
    stop,
  };
}
