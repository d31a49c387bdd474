import { randomUUID } from 'node:crypto';
import { createApiDependencies } from '../../api/dependencies.ts';
import { RateLeases } from '../../api/http/rate-leases.ts';
import { createServer } from '../../api/server.ts';
import { parseApiConfig } from '../../config/config.ts';
import { processEnvironment } from '../../config/process-environment.ts';
import { instanceEnvironment } from '../../infra/instance/environment.ts';
import { prepareDataDirectory } from '../../infra/instance/instance.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import { DEFAULT_PORTS, readSavedPorts } from '../../infra/instance/ports.ts';
import { readOrCreateSecrets } from '../../infra/instance/secrets.ts';
import { drawRate } from '../../stores/postgres/access/rate-limits.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { runLoad } from './capture/load.ts';
import { measureLoginBurst } from './capture/login-burst.ts';
import { say } from './command-line.ts';
import { median } from './figures.ts';

// Cost of rate limits: two apis on one instance, one without limits, receive the same captures in turn. Then 200 log-ins at once
// while another client reads. Then two processes share a quota.
// Prints one JSON line; progress goes to stderr.

const PAIRS = 8;
const REQUESTS = 3_200;
const QUOTA = 600;
const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

/** Starts an api of this process on the instance; returns its port and the function that stops it. */
async function startApi(instance: BenchInstance, quota: string) {
  const layout = prepareDataDirectory(instance.dataDir);
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const ports = { ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) };
  const environment = processEnvironment();
  const config = parseApiConfig({
    ...instanceEnvironment({ layout, secrets, ports }, environment, cacheDirectory(environment)),
    RECOLLECT_RATE_CAPTURE: quota,
  });
  const logger = createLogger('bench', 'error');
  const dependencies = createApiDependencies(config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: Number(new URL(url).port),
    dependencies,
    stop: async () => {
      await server.close();
      await dependencies.close();
    },
  };
}

const instance = await startBenchInstance();
try {
  const apis = [await startApi(instance, '0'), await startApi(instance, '10000000')] as const;
  const figures: Record<string, object> = {};
  for (const clients of [1, 32]) {
    const runs: { readonly p50: number; readonly perS: number }[][] = [[], []];
    for (let pair = 0; pair < PAIRS; pair += 1)
      // Whichever is second finds more work in the queues: they take turns.
      for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) {
        const port = apis[which]?.port ?? 0;
        const load = await runLoad({
          name: `access-${clients}-${pair}-${which}`,
          port,
          path: '/api/v1/events',
          key: instance.key,
          clients,
          batch: 1,
          form: 'event',
          sessionsPerClient: 1,
          warmUpMs: 500,
          measureMs: 2_000,
        });
        runs[which]?.push({ p50: load.p50_ms, perS: load.accepted_per_s });
      }
    const [off = [], on = []] = runs;
    figures[`clients_${clients}`] = {
      p50_ms_more: rounded(median(on.map(({ p50 }, pair) => p50 - (off[pair]?.p50 ?? p50)))),
      accepted_ratio: rounded(median(on.map(({ perS }, pair) => perS / (off[pair]?.perS ?? perS)))),
    };
    say(JSON.stringify(figures));
  }
  // In a process of its own: here the requests of the bench would delay the answers.
  const burst = await measureLoginBurst(Number(new URL(instance.url).port), instance.key);
  say(JSON.stringify(burst));
  let statements = 0;
  const bucket = `bench:${randomUUID()}`;
  const leases = apis.map(
    ({ dependencies }) =>
      new RateLeases(
        (name, want, limit) => {
          statements += 1;
          return drawRate(dependencies.database.pool, name, want, limit);
        },
        (error) => {
          throw error;
        },
      ),
  );
  const verdicts = await Promise.all(
    leases.flatMap((each) =>
      Array.from({ length: REQUESTS / leases.length }, async () => each.take(bucket, { quota: QUOTA, windowS: 60 })),
    ),
  );
  const shared = { requests: REQUESTS, quota: QUOTA, granted: verdicts.filter((each) => each.isGranted).length };
  await Promise.all(apis.map((api) => api.stop()));
  process.stdout.write(
    `${JSON.stringify({ bench: 'access', ...figures, login_burst: burst, two_processes: { ...shared, statements } })}\n`,
  );
} finally {
  await instance.stop();
}
