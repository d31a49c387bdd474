import { cpuByService, cpuPerEvent } from './cpu.ts';
import { runLoad } from './load.ts';
import type { LoadFigures, LoadSpec } from './load.ts';
import type { BenchInstance } from './bench-instance.ts';

const WARM_UP_MS = 2_000;
const MEASURE_MS = 10_000;

type Shape = Pick<LoadSpec, 'name' | 'path' | 'clients' | 'batch' | 'form' | 'sessionsPerClient'>;

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
  return throughput(instance, {
    name: 'single',
    path: '/api/v1/events',
    clients: 32,
    batch: 1,
    form: 'event',
    sessionsPerClient: 1,
  });
}

const BATCH = { path: '/api/v1/events/batch', sessionsPerClient: 10 } as const;

/** Measures four clients that send arrays of 500 events. */
export function batches(instance: BenchInstance): Promise<Throughput> {
  return throughput(instance, { ...BATCH, name: 'batch', clients: 4, batch: 500, form: 'array' });
}

/** Measures NDJSON requests of 1,000 lines, one after another and 8 at once: a user has no more streams, further ones are refused. */
export async function ndjsonRequests(instance: BenchInstance): Promise<Record<'one' | 'eight', Throughput>> {
  const shape = { ...BATCH, batch: 1_000, form: 'lines' } as const;
  return {
    one: await throughput(instance, { ...shape, name: 'lines-one', clients: 1 }),
    eight: await throughput(instance, { ...shape, name: 'lines-eight', clients: 8 }),
  };
}
