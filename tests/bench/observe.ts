import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { say, selected } from './command-line.ts';
import { scrapeCost } from './observe/scrape.ts';
import { tracingCost } from './observe/tracing.ts';

// Cost of observing an instance. Prints one JSON line; progress goes to stderr. `--only scrape,tracing` runs some of the parts.

const PARTS: Readonly<Record<string, (instance: BenchInstance) => Promise<unknown>>> = {
  scrape: scrapeCost,
  tracing: tracingCost,
};

const wanted = selected(Object.keys(PARTS));
const instance = await startBenchInstance();
const figures: Record<string, unknown> = { bench: 'observe' };
try {
  for (const name of wanted) {
    say(name);
    figures[name] = await PARTS[name]?.(instance);
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await instance.stop();
}
