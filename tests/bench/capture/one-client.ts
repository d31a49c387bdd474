import { median } from '../figures.ts';
import type { BenchInstance } from './bench-instance.ts';
import { runLoad } from './load.ts';
import type { LoadFigures } from './load.ts';

const PAIRS = 5;
const WARM_UP_MS = 500;
const MEASURE_MS = 2_000;

/** One sequential client, with Temporal running and stopped: five pairs. */
export async function oneClient(instance: BenchInstance): Promise<object> {
  const run = (name: string): Promise<LoadFigures> =>
    runLoad({
      name,
      port: instance.port,
      path: '/api/v1/events',
      key: instance.key,
      clients: 1,
      batch: 1,
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
  return {
    p50_ms: median(pairs.map((pair) => pair.up.p50_ms)),
    p99_ms: median(pairs.map((pair) => pair.up.p99_ms)),
    temporal_stopped_ratio: median(pairs.map((pair) => pair.stopped.p50_ms / pair.up.p50_ms)),
    count: pairs.reduce((sum, pair) => sum + pair.up.requests, 0),
  };
}
