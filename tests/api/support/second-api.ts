import { createApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import type { ServerOptions } from '../../../api/server.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';

/** A further process of an instance's api, as far as its state: connections, caches and leases of its own. */
export interface SecondApi {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts a second api on the instance's database; it serves requests and receives changes of access when this returns. */
export async function startSecondApi(
  instance: Pick<TestInstance, 'config'>,
  options: Pick<ServerOptions, 'viewerFolder'> = {},
): Promise<SecondApi> {
  const logger = createLogger('test', 'error');
  const dependencies = createApiDependencies(instance.config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false, ...options });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  await until(async () => (dependencies.notifications.isListening ? true : undefined));
  return {
    url,
    close: async () => {
      await server.close();
      await dependencies.close();
    },
  };
}
