import { createServer } from 'node:http';
import { once } from 'node:events';
import { withoutWorkerSettings } from '../../../config/config.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { instanceEnvironment } from '../../../infra/instance/environment.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { cacheDirectory } from '../../../infra/instance/layout.ts';
import { DEFAULT_PORTS, readSavedPorts } from '../../../infra/instance/ports.ts';
import { readOrCreateSecrets } from '../../../infra/instance/secrets.ts';
import { demoHooks, settled } from '../../setup/demo-session.ts';
import { freePort, startService } from '../../setup/worker-process.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { say } from '../command-line.ts';
import { median, timings } from '../figures.ts';

const ROUNDS = 30;
const CAPTURES = 200;
const SEARCHES = 100;
const WARM_UP = 300;
const MODES = [
  ['off', {}],
  ['at_2_percent', { RECOLLECT_TRACE_SHARE: '0.02' }],
  ['at_100_percent', { RECOLLECT_TRACE_SHARE: '1' }],
] as const;
/** In words of the recorded session; an api caches the vectors of its queries. */
const QUERIES = [
  'invoice rounding',
  'failing test',
  'npm test',
  'date format',
  'config file',
  'login page',
  'cache',
  'retry',
];

/** A collector that receives everything and stores nothing. */
async function startSink() {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (part: Buffer) => (bytes += part.length));
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the collector has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    received: () => bytes,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Starts an api of its own process on the instance. */
async function startApi({ dataDir, key }: BenchInstance, settings: Readonly<Record<string, string>>) {
  const layout = prepareDataDirectory(dataDir);
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const ports = { ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) };
  const environment = processEnvironment();
  const port = await freePort();
  const process = await startService('api/main.ts', {
    ...withoutWorkerSettings(instanceEnvironment({ layout, secrets, ports }, environment, cacheDirectory(environment))),
    RECOLLECT_HTTP_PORT: String(port),
    RECOLLECT_RATE_CAPTURE: '0',
    RECOLLECT_RATE_READ: '0',
    ...settings,
  });
  const call = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`);
  };
  return {
    capture: (session: string, n: number) =>
      call('POST', '/events', {
        type: 'observation',
        host: 'bench',
        session_id: session,
        text: `Row ${n} of the bench`,
      }),
    search: (n: number) => call('GET', `/search?q=${encodeURIComponent(QUERIES[n % QUERIES.length] ?? '')}`),
    stop: () => process.stop(),
  };
}

/** Stores the recorded session, so that a search has something to find, and awaits its vectors. */
async function fill({ url, key }: BenchInstance): Promise<void> {
  const call = async (method: string, path: string, options: { readonly body?: unknown } = {}) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
  };
  const hooks = demoHooks();
  for (const hook of hooks) await call('POST', `/hooks/${hook.hook_event_name}`, { body: hook });
  await settled({ call }, `claude-code:${hooks[0]?.session_id}`);
}

/** Returns the median of the ratios of two apis in the same round: on a shared machine, rounds differ more than apis. */
function ratioOf(rounds: readonly number[], others: readonly number[]): number {
  const ratios = rounds.map((value, round) => value / (others[round] ?? Number.NaN)).toSorted((a, b) => a - b);
  return Math.round((ratios[Math.floor(ratios.length / 2)] ?? Number.NaN) * 1_000) / 1_000;
}

/**
 * Cost of traces: three apis on one instance, which differ in their share of traced requests, take turns with captures and searches of one
 * client. The worker is suspended meanwhile.
 */
export async function tracingCost(instance: BenchInstance): Promise<object> {
  await fill(instance);
  const sink = await startSink();
  const apis = await Promise.all(
    MODES.map(async ([name, settings]) => ({
      name,
      api: await startApi(instance, name === 'off' ? {} : { ...settings, RECOLLECT_OTLP_ENDPOINT: sink.url }),
      // Medians of the rounds.
      captures: [] as number[],
      searches: [] as number[],
    })),
  );
  const worker = instance.pid('worker');
  process.kill(worker, 'SIGSTOP');
  try {
    for (const { name, api } of apis) {
      await timings(WARM_UP, (n) => api.capture(`warm-up-${name}`, n));
      await timings(WARM_UP, (n) => api.search(n));
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      // Each is first, second and last equally often.
      const turns = apis.map((_, place) => apis[(place + round) % apis.length]);
      for (const turn of turns) {
        if (turn === undefined) continue;
        const { name, api, captures, searches } = turn;
        captures.push(median(await timings(CAPTURES, (n) => api.capture(`${name}-${round}`, n))));
        searches.push(median(await timings(SEARCHES, (n) => api.search(n))));
      }
      say(`round ${round + 1} of ${ROUNDS}`);
    }
  } finally {
    process.kill(worker, 'SIGCONT');
    await Promise.all(apis.map(({ api }) => api.stop()));
    await sink.close();
  }
  const [off] = apis;
  const figures = apis.map(({ name, captures, searches }) => [
    name,
    {
      capture_p50_ms: median(captures),
      search_p50_ms: median(searches),
      ...(name !== 'off' && {
        capture_ratio: ratioOf(captures, off?.captures ?? []),
        search_ratio: ratioOf(searches, off?.searches ?? []),
      }),
    },
  ]);
  return { ...Object.fromEntries(figures), exported_bytes: sink.received() };
}
