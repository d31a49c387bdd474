import { median } from '../figures.ts';
import type { BenchInstance } from './bench-instance.ts';
import { runLoad } from './load.ts';
import type { LoadFigures } from './load.ts';

const PAIRS = 5;
const WARM_UP_MS = 500;
const MEASURE_MS = 2_000;

/** One sequential client, with Temporal running and stopped: five pairs; then the bare server. */
export async function oneClient(instance: BenchInstance): Promise<object> {
  const run = (name: string, port = instance.port, path = '/api/v1/events'): Promise<LoadFigures> =>
    runLoad({
      name,
      port,
      path,
      key: instance.key,
      clients: 1,
      batch: 1,
      form: 'event',
      sessionsPerClient: 1,
      warmUpMs: WARM_UP_MS,
      measureMs: MEASURE_MS,
    });
  const temporal = instance.pid('temporal');
  const pairs: { readonly up: LoadFigures; readonly stopped: LoadFigures }[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const up = await run(`one-${pair}`);
    process.kill(temporal, 'SIGSTOP');
    try {
      pairs.push({ up, stopped: await run(`one-stopped-${pair}`) });
    } finally {
      process.kill(temporal, 'SIGCONT');
    }
  }
  const bare = await instance.withBareServer((port) => run('one-bare', port, '/'));
  const p50Ms = median(pairs.map((pair) => pair.up.p50_ms));
  return {
    p50_ms: p50Ms,
    bare_p50_ms: bare.p50_ms,
    ratio: Math.round((p50Ms / bare.p50_ms) * 100) / 100,
    p99_ms: median(pairs.map((pair) => pair.up.p99_ms)),
    temporal_stopped_ratio: median(pairs.map((pair) => pair.stopped.p50_ms / pair.up.p50_ms)),
    count: pairs.reduce((sum, pair) => sum + pair.up.requests, 0),
  };
}
