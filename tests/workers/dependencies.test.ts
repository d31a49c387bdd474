import { expect, test } from 'vitest';
import { ConfigError, parseConfig } from '../../config/config.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { createWorkerDependencies } from '../../workers/dependencies.ts';

const environment = {
  RECOLLECT_DATABASE_URL: 'postgres://app:pw@127.0.0.1:1/recollect',
  RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:1',
  RECOLLECT_WEAVIATE_URL: 'http://127.0.0.1:1',
  RECOLLECT_WEAVIATE_GRPC_PORT: '1',
  RECOLLECT_WEAVIATE_API_KEY: 'key',
  RECOLLECT_CACHE_DIR: '/nonexistent',
};
const logger = createLogger('test', 'error');

test.each(['maintenance', 'sweeps'])(
  'a worker of the %s queue needs the maintenance role, by the name of the setting',
  (queue) => {
    const config = parseConfig({ ...environment, RECOLLECT_WORKER_QUEUES: queue });
    expect(() => createWorkerDependencies(config, logger)).toThrow(ConfigError);
    expect(() => createWorkerDependencies(config, logger)).toThrow('RECOLLECT_MAINTENANCE_DATABASE_URL');
  },
);

test('a worker of other queues does not, and connects to nothing before it has work', async () => {
  const config = parseConfig({ ...environment, RECOLLECT_WORKER_QUEUES: 'session,model,embedding' });
  const dependencies = createWorkerDependencies(config, logger);
  expect(Object.keys(dependencies.activities).sort()).toEqual([
    'embedding',
    'maintenance',
    'model',
    'session',
    'sweeps',
    'transcripts',
  ]);
  await dependencies.close();
});
