import { parseApiConfig } from '../config/config.ts';
import { trustAuthorities } from '../config/engine-settings.ts';
import { processEnvironment } from '../config/process-environment.ts';
import { VERSION } from '../config/version.ts';
import { createLogger } from '../telemetry/logger.ts';
import { loadExporter } from '../telemetry/tracing.ts';
import { announceReady, leaveSupervisor, stopRequested } from '../config/process-lifecycle.ts';
import { recordReachability } from '../stores/postgres/capture/reachability.ts';
import { createApiDependencies } from './dependencies.ts';
import { createServer } from './server.ts';

async function main(): Promise<void> {
  const config = parseApiConfig(processEnvironment());
  trustAuthorities(config);
  const logger = createLogger('api', config.logLevel);
  const stop = stopRequested();
  let stopping = false;
  const exporter = await loadExporter('api', VERSION, config.tracing);
  const dependencies = createApiDependencies(config, logger, exporter);
  const server = await createServer({ dependencies, logger, isStopping: () => stopping });
  await server.listen({ host: config.http.host, port: config.http.port });
  const reachability = recordReachability(dependencies.database.pool);
  announceReady();
  const reason = await stop;
  // Readiness fails first, then the last requests complete, then their hints are sent, then the stores close.
  stopping = true;
  logger.info({ reason }, 'api stops');
  await server.close();
  await reachability.stop();
  await dependencies.close();
  logger.info('api stopped');
  leaveSupervisor();
}

await main();
