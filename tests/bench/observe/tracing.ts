import { readFileSync } from 'node:fs';
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

const CAPTURES = 4_000;
const SEARCHES = 1_200;
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
    pid: process.child.pid ?? 0,
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
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const hooks = demoHooks();
  for (const hook of hooks) await call('POST', `/hooks/${hook.hook_event_name}`, { body: hook });
  await settled({ call }, `claude-code:${hooks[0]?.session_id}`);
}

/** Returns the quotient with three digits. */
const ratio = (of: number, to: number) => Math.round((of / to) * 1_000) / 1_000;

/** Returns the processor time of a process so far, in ms. */
function cpuMs(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  // A tick of Linux is 10 ms.
  return ((user ?? 0) + (system ?? 0)) * 10;
}

interface Turn {
  readonly pid: number;
  readonly run: (n: number) => Promise<void>;
}

/**
 * Sends a request to each api in turn, again and again, so that other work of the machine meets all of them alike. Returns the medians of the
 * latencies and the processor time of a request, of each api and beside the first.
 */
async function inTurns(turns: readonly Turn[], rounds: number) {
  const samples = turns.map((): number[] => []);
  const before = turns.map(({ pid }) => cpuMs(pid));
  for (let n = 0; n < rounds; n += 1)
    for (const place of turns.keys()) {
      const which = (place + n) % turns.length;
      const started = performance.now();
      await turns[which]?.run(n);
      samples[which]?.push(performance.now() - started);
    }
  const figures = turns.map(({ pid }, which) => ({
    p50_ms: median(samples[which] ?? []),
    cpu_us: Math.round(((cpuMs(pid) - (before[which] ?? 0)) * 1_000) / rounds),
  }));
  const [first] = figures;
  return figures.map(({ p50_ms: p50, cpu_us: cpu }) => ({
    p50_ms: p50,
    cpu_us: cpu,
    p50_ratio: ratio(p50, first?.p50_ms ?? Number.NaN),
    cpu_ratio: ratio(cpu, first?.cpu_us ?? Number.NaN),
  }));
}

/** Cost of traces: three apis on one instance differ in their share of traced requests. The worker is suspended meanwhile. */
export async function tracingCost(instance: BenchInstance): Promise<object> {
  await fill(instance);
  const sink = await startSink();
  const apis = await Promise.all(
    MODES.map(async ([name, settings]) => ({
      name,
      api: await startApi(instance, name === 'off' ? {} : { ...settings, RECOLLECT_OTLP_ENDPOINT: sink.url }),
    })),
  );
  const worker = instance.pid('worker');
  process.kill(worker, 'SIGSTOP');
  try {
    for (const { name, api } of apis) {
      await timings(WARM_UP, (n) => api.capture(`warm-up-${name}`, n));
      await timings(WARM_UP, (n) => api.search(n));
    }
    say('captures');
    const captures = await inTurns(
      apis.map(({ name, api }) => ({ pid: api.pid, run: (n) => api.capture(name, n) })),
      CAPTURES,
    );
    say('searches');
    const searches = await inTurns(
      apis.map(({ api }) => ({ pid: api.pid, run: (n) => api.search(n) })),
      SEARCHES,
    );
    const figures = apis.map(({ name }, which) => [name, { capture: captures[which], search: searches[which] }]);
    return { ...Object.fromEntries(figures), exported_bytes: sink.received() };
  } finally {
    process.kill(worker, 'SIGCONT');
    await Promise.all(apis.map(({ api }) => api.stop()));
    await sink.close();
  }
}
