import { cpuByService, cpuPerEvent } from './cpu.ts';
import { runLoad } from './load.ts';
import type { LoadFigures } from './load.ts';
import type { BenchInstance } from './bench-instance.ts';

const WARM_UP_MS = 2_000;
const MEASURE_MS = 10_000;

interface Shape {
  readonly name: string;
  readonly path: string;
  readonly clients: number;
  readonly batch: number;
  readonly sessionsPerClient: number;
}

export interface Throughput {
  readonly recollect: LoadFigures;
  /** Fastify and pg with one table, measured directly before and after: the upper bound of the machine. */
  readonly bare_per_s: number;
  readonly ratio: number;
  /** Processor time of each service per sent event, in microseconds. */
  readonly cpu_us_per_event: Readonly<Record<string, number>>;
}

/** Measures one shape of load against the bare server, the instance, and the bare server again. */
async function throughput(instance: BenchInstance, shape: Shape): Promise<Throughput> {
  const { path, ...spec } = { ...shape, key: instance.key, warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
  const bare = () =>
    instance.withBareServer((port) => runLoad({ ...spec, port, path: '/', measureMs: MEASURE_MS / 2 }));
  const before = await bare();
  const begin = cpuByService(instance);
  const recollect = await runLoad({ ...spec, port: instance.port, path });
  const cpu = cpuPerEvent(begin, cpuByService(instance), recollect.sent);
  const after = await bare();
  const ceiling = Math.round((before.accepted_per_s + after.accepted_per_s) / 2);
  const ratio = Math.round((recollect.accepted_per_s / ceiling) * 100) / 100;
  return { recollect, bare_per_s: ceiling, ratio, cpu_us_per_event: cpu };
}

/** Measures 32 clients that send single events sequentially. */
export function singleEvents(instance: BenchInstance): Promise<Throughput> {
  return throughput(instance, { name: 'single', path: '/api/v1/events', clients: 32, batch: 1, sessionsPerClient: 1 });
}

/** Measures four clients that send arrays of 500 events. */
export function batches(instance: BenchInstance): Promise<Throughput> {
  return throughput(instance, {
    name: 'batch',
    path: '/api/v1/events/batch',
    clients: 4,
    batch: 500,
    sessionsPerClient: 10,
  });
}
