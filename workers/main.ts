import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, NativeConnection } from '@temporalio/worker';
import type { LogEntry } from '@temporalio/worker';
import { parseConfig } from '../config/config.ts';
import { trustAuthorities } from '../config/engine-settings.ts';
import { usesProvider } from '../config/provider-settings.ts';
import { processEnvironment } from '../config/process-environment.ts';
import { VERSION } from '../config/version.ts';
import { projectFrames } from '../activities/failures.ts';
import { removeOldRuns, scratchFolder } from '../models/claude-cli/run-folder.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { loadExporter } from '../telemetry/tracing.ts';
import { createWorkerDependencies } from './dependencies.ts';
import type { WorkerDependencies } from './dependencies.ts';
import { buildIdOf, createWorkers } from './create-workers.ts';
import { announceReady, leaveSupervisor, stopRequested } from '../config/process-lifecycle.ts';
import { connectionOptions } from '../stores/temporal/client.ts';
import { promoteBuild } from '../stores/temporal/deployment.ts';
import { serveMetrics } from './metrics-server.ts';
import { installRuntime } from './sdk-runtime.ts';

/** Returns what may be logged of an error: the message of a typed failure only, which never contains captured text, and its place. */
function loggable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const frames = projectFrames(error);
  if (!(error instanceof ApplicationFailure)) return { type: error.name, frames };
  const { type, message, nonRetryable, details } = error;
  return { type, message, nonRetryable, details, frames };
}

/** Returns a function that writes the SDK's log entries to the worker's log. */
function forward(logger: Logger): (entry: LogEntry) => void {
  return (entry) => {
    const { error, ...meta } = entry.meta ?? {};
    const line = { sdk: true, ...meta, ...(error === undefined ? {} : { error: loggable(error) }) };
    if (entry.level === 'ERROR') logger.error(line, entry.message);
    else if (entry.level === 'WARN') logger.warn(line, entry.message);
    else logger.debug(line, entry.message);
  };
}

/**
 * Seals secrets with the first key of the settings: keys change with a restart, and a run after a kill continues. A secret whose key is
 * missing is reported, because its owner cannot log in with it.
 */
async function resealSecrets({ resealSecrets }: WorkerDependencies, logger: Logger): Promise<void> {
  try {
    const done = await resealSecrets();
    if (done === null) return;
    const { resealed, unreadable, faults } = done;
    if (resealed > 0) logger.info({ resealed }, 'secrets were sealed with the first key');
    if (unreadable > 0)
      logger.error({ unreadable, faults }, 'secrets do not open: add their keys to RECOLLECT_SECRET_KEYS again');
  } catch (error) {
    logger.warn(
      { error: error instanceof Error ? error.name : 'unknown' },
      'secrets were not sealed anew; the next start of a worker tries again',
    );
  }
}

async function main(): Promise<void> {
  // `--queues session,model` serves only these, so that each kind of work can have processes of its own.
  const { values } = parseArgs({ options: { queues: { type: 'string' } } });
  const environment = processEnvironment();
  const config = parseConfig(
    values.queues === undefined ? environment : { ...environment, RECOLLECT_WORKER_QUEUES: values.queues },
  );
  trustAuthorities(config);
  // No caller waits for summarising and embedding: on a busy machine capture has priority. Threads that start later inherit it.
  setPriority(config.worker.niceness);
  const logger = createLogger('worker', config.logLevel);
  const readSdkMetrics = await installRuntime(
    new DefaultLogger('INFO', forward(logger)),
    config.worker.metrics !== null,
  );
  const stop = stopRequested();
  if (usesProvider(config.model, 'claude-cli')) await removeOldRuns(scratchFolder(environment), Date.now());
  const exporter = await loadExporter('worker', VERSION, config.tracing);
  const dependencies = createWorkerDependencies(config, logger, exporter);
  const connection = await NativeConnection.connect(connectionOptions(config.temporal));
  const workers = await createWorkers(config, connection, dependencies);
  logger.info(
    {
      queues: config.worker.queues,
      model: dependencies.modelName,
      session: config.session,
      database: { poolMax: config.database.poolMax },
    },
    'worker starts',
  );
  const resealed = resealSecrets(dependencies, logger);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const promotion = new AbortController();
  const promoted = config.worker.promote
    ? promoteBuild(dependencies.client, buildIdOf(config), promotion.signal, (error) =>
        logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'this build is not current yet'),
      ).then((done) => done && logger.info({ build: buildIdOf(config) }, 'this build is current'))
    : Promise.resolve();
  const metricsServer =
    config.worker.metrics === null
      ? null
      : await serveMetrics(config.worker.metrics, logger, async () =>
          (await Promise.all([dependencies.scrape(), readSdkMetrics()])).join(''),
        );
  announceReady();
  const reason = await Promise.race([stop, running.then(() => 'its workers ended')]);
  logger.info({ reason }, 'worker stops');
  promotion.abort();
  await promoted;
  await resealed;
  // No new work, then what runs may finish within the grace time, then the clients.
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
  await metricsServer?.close();
  await connection.close();
  await dependencies.close();
  logger.info('worker stopped');
  leaveSupervisor();
}

await main();
