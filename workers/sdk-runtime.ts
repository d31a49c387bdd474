import { once } from 'node:events';
import { createServer } from 'node:net';
import { Runtime } from '@temporalio/worker';
import type { DefaultLogger } from '@temporalio/worker';
import { SDK_BUCKETS, selectSdkMetrics } from '../telemetry/sdk-metrics.ts';

const HOST = '127.0.0.1';
const READ_TIMEOUT_MS = 1_000;
const ATTEMPTS = 3;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the listener has no port');
  return address.port;
}

/**
 * Installs the runtime of Temporal's SDK. Returns a function that reads the SDK's metrics as text. The SDK serves them on a port of loopback that it cannot choose
 * itself, without a key: they contain names of queues, workflows and activities, and no ids.
 */
export async function installRuntime(logger: DefaultLogger, hasMetrics: boolean): Promise<() => Promise<string>> {
  if (!hasMetrics) {
    Runtime.install({ logger, shutdownSignals: [] });
    return () => Promise.resolve('');
  }
  const port = await installOnFreePort(logger);
  return async () => {
    const answer = await fetch(`http://${HOST}:${port}/metrics`, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
    return selectSdkMetrics(await answer.text());
  };
}

/** Another program may take a free port before the SDK does: then it is another one. */
async function installOnFreePort(logger: DefaultLogger): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const prometheus = {
      bindAddress: `${HOST}:${port}`,
      useSecondsForDurations: true,
      unitSuffix: true,
      countersTotalSuffix: true,
      histogramBucketOverrides: SDK_BUCKETS,
    };
    try {
      Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { metrics: { prometheus } } });
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
