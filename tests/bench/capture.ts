import { measureHookClient } from './hook-client.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { ndjsonMemory } from './capture/memory.ts';
import { oneClient } from './capture/one-client.ts';
import { endedAtOnce, longSession } from './capture/sessions.ts';
import { batches, ndjsonRequests, singleEvents } from './capture/throughput.ts';
import { say, selected } from './command-line.ts';

// Benchmarks of capture on one instance of `recollect up`. Prints one JSON line; progress goes to stderr.
// `--only hook,sessions,long,one,single,batch,ndjson,memory` runs some of them.

// Stages that leave much to index run last, so that they do not slow down the others.
const STAGES: Readonly<Record<string, (instance: BenchInstance) => Promise<unknown>>> = {
  hook: ({ url, key }) => measureHookClient({ url, apiKey: key }),
  sessions: endedAtOnce,
  long: longSession,
  one: oneClient,
  single: singleEvents,
  batch: batches,
  ndjson: ndjsonRequests,
  memory: ndjsonMemory,
};

const wanted = selected(Object.keys(STAGES));

const instance = await startBenchInstance();
say(`data in ${instance.dataDir}`);
const figures: Record<string, unknown> = { bench: 'capture' };
try {
  for (const name of wanted) {
    say(name);
    figures[name] = await STAGES[name]?.(instance);
    say(JSON.stringify(figures[name]));
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await instance.stop();
}
