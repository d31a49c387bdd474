import path from 'node:path';
import { parseConfig, withoutWorkerSettings } from '../../config/config.ts';
import type { Config } from '../../config/config.ts';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import type { Environment } from '../../config/process-environment.ts';
import { bootstrapIdentity } from '../bootstrap/identity.ts';
import { ensureModelFiles } from '../bootstrap/model-files.ts';
import { scheduleTimesOf } from '../bootstrap/schedules.ts';
import { bootstrapTemporal } from '../bootstrap/temporal.ts';
import { runTool } from '../engines/run-tool.ts';
import { engineNodes, prepareEngines } from '../engines/definitions.ts';
import type { EngineFiles } from '../engines/definitions.ts';
import { relaxTemporal } from '../engines/temporal/service.ts';
import { refreshHookClient } from '../instance/hook-client-copy.ts';
import { cacheDirectory } from '../instance/layout.ts';
import {
  apiUrl,
  DATABASE_NAME,
  instanceEnvironment,
  maintenanceDatabaseUrl,
  programEnvironment,
  superuserUrl,
  temporalAddress,
} from '../instance/environment.ts';
import type { Instance } from '../instance/instance.ts';
import { copiedProgram } from '../instance/upgrade-copy.ts';
import type { NodeDefinition, StepDefinition } from './definitions.ts';
import { nodeEnvironment, nodeService } from './node-service.ts';
import type { Progress } from './progress.ts';
import { runInstance } from './run-instance.ts';
import type { SupervisorState } from './state.ts';
import { watchSpool } from './spool-watch.ts';
import type { SupervisedService } from './supervised-service.ts';

export interface StartInstanceOptions {
  readonly dataDir: string;
  readonly environment: Environment;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Default: cacheDirectory of the environment. */
  readonly cacheDir?: string | undefined;
  /** Requested port, never replaced. Default: the saved one, else 37700, else a free one. */
  readonly apiPort?: number | undefined;
  /** `free` avoids the default ports, which another instance may use. */
  readonly ports?: 'saved' | 'free' | undefined;
}

export interface RunningInstance {
  readonly url: string;
  readonly credentialsPath: string;
  readonly instance: Instance;
  status(): SupervisorState;
  service(name: ServiceName): SupervisedService;
  /** Stops all nodes cleanly in reverse order. */
  stop(): Promise<void>;
  /** Ends all processes at once; synchronous. */
  killNow(): void;
}

export type ServiceName = 'postgres' | 'temporal' | 'weaviate' | 'worker' | 'api';

const DATABASE_STEP = path.resolve(import.meta.dirname, '..', 'bootstrap', `database-main${MODULE_EXTENSION}`);
const WORKER_GRACE_MS = 30_000;
const API_GRACE_MS = 20_000;

/**
 * Starts an instance on a data directory; resolves once the API is ready. Rejects with AlreadyRunningError,
 * InstanceError, EngineError or SupervisorError, without leaving a process.
 */
export async function startInstance(options: StartInstanceOptions): Promise<RunningInstance> {
  const { environment } = options;
  const cacheDir = options.cacheDir ?? cacheDirectory(environment);
  const { instance, supervisor, stop } = await runInstance({
    dataDir: options.dataDir,
    progress: options.progress,
    signal: options.signal,
    apiPort: options.apiPort,
    preferPorts: options.ports ?? 'saved',
    prepare: () =>
      prepareEngines({
        dataDir: options.dataDir,
        cacheDir,
        environment,
        progress: options.progress,
        signal: options.signal,
      }),
    nodes: (opened, files) => instanceNodes(opened, files, { cacheDir, environment, progress: options.progress }),
    url: (opened) => apiUrl(opened, environment),
  });
  refreshHookClient(options.dataDir);
  // Drains events spooled while the instance was stopped.
  const spool = watchSpool({ dataDir: instance.layout.dataDir });
  return {
    url: apiUrl(instance, environment),
    credentialsPath: instance.layout.credentialsFile,
    instance,
    status: () => supervisor.state(),
    service: (name) => supervisor.service(name),
    stop: async () => {
      try {
        await spool.stop();
      } finally {
        await stop();
      }
    },
    killNow: () => supervisor.killAll(),
  };
}

interface GraphContext {
  readonly cacheDir: string;
  readonly environment: Environment;
  readonly progress: Progress;
}

/** Returns the graph of an instance. Its services declare every port, so that a start replaces one that another program takes first. */
export function instanceNodes(instance: Instance, files: EngineFiles, context: GraphContext): NodeDefinition[] {
  const childEnvironment = {
    ...nodeEnvironment(context.cacheDir),
    ...instanceEnvironment(instance, context.environment, context.cacheDir),
  };
  // Validates settings before anything starts.
  const config = parseConfig(childEnvironment);
  const apiEnvironment = withoutWorkerSettings(childEnvironment);
  const after = ['database', 'temporal-setup', 'weaviate', 'identity', 'model-files'];
  return [
    ...engineNodes(instance, files, context.environment),
    databaseStep(instance, context),
    temporalStep(instance, config),
    identityStep(instance, context),
    modelFilesStep(context),
    nodeService({
      name: 'worker',
      entry: 'workers/main',
      after,
      environment: childEnvironment,
      ports: [instance.ports.workerMetrics],
      stopGraceMs: WORKER_GRACE_MS,
    }),
    nodeService({
      name: 'api',
      entry: 'api/main',
      // In an upgrade last: if it fails, no event was accepted into data that are discarded.
      after: copiedProgram(instance.layout) === null ? after : [...after, 'worker'],
      environment: apiEnvironment,
      ports: [instance.ports.api],
      stopGraceMs: API_GRACE_MS,
    }),
  ];
}

function databaseStep(instance: Instance, context: GraphContext): StepDefinition {
  const {
    postgresOwner: owner,
    postgresApp: app,
    postgresMaintenance: maintenance,
    postgresRestore: restore,
  } = instance.secrets;
  const options = {
    superuserUrl: superuserUrl(instance),
    databaseName: DATABASE_NAME,
    passwords: { owner, app, maintenance, restore },
  };
  return {
    kind: 'step',
    name: 'database',
    after: ['postgres'],
    run: async ({ update, signal }) => {
      const { exitCode, lines } = await runTool({
        file: process.execPath,
        args: [DATABASE_STEP],
        environment: {
          ...programEnvironment(context.environment),
          ...nodeEnvironment(context.cacheDir),
          RECOLLECT_DATABASE_BOOTSTRAP: JSON.stringify(options),
        },
        workingDirectory: path.dirname(DATABASE_STEP),
        signal,
        onLine: update,
      });
      if (exitCode !== 0) throw new Error(lines.at(-1) ?? 'the database step failed without output');
    },
  };
}

function temporalStep(instance: Instance, config: Config): StepDefinition {
  return {
    kind: 'step',
    name: 'temporal-setup',
    after: ['temporal'],
    run: async () => {
      await bootstrapTemporal({
        address: temporalAddress(instance),
        namespace: config.temporal.namespace,
        schedules: scheduleTimesOf(config),
      });
      relaxTemporal(instance);
    },
  };
}

function identityStep(instance: Instance, { environment, progress }: GraphContext): StepDefinition {
  return {
    kind: 'step',
    name: 'identity',
    after: ['database'],
    run: async () => {
      const credentialsPath = instance.layout.credentialsFile;
      const isUsable = await bootstrapIdentity({
        maintenanceDatabaseUrl: maintenanceDatabaseUrl(instance),
        credentialsPath,
        url: apiUrl(instance, environment),
      });
      if (!isUsable)
        progress
          .step('credentials')
          .fail(
            `the user of ${credentialsPath} was erased, and its keys open nothing. Delete the file and start again to get a new admin.`,
          );
    },
  };
}

/** Never fails: without a model, search is by keyword only. */
function modelFilesStep(context: GraphContext): StepDefinition {
  return {
    kind: 'step',
    name: 'model-files',
    after: [],
    run: async ({ update, signal }) => {
      await ensureModelFiles({
        cacheDir: context.cacheDir,
        environment: context.environment,
        progress: update,
        signal,
      });
    },
  };
}
