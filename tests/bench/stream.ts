import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { benchEvent } from './capture/requests.ts';
import { say } from './command-line.ts';
import { percentile } from './figures.ts';
import { residentMib } from './process-tree.ts';

// Event stream: captures at a fixed rate, in turn without and with 500 readers of all of them.
// Prints one JSON line; progress goes to stderr.

const READERS = 500;
const PER_SECOND = 50;
const SECONDS = 20;
const ROUNDS = 2;
const SESSIONS = 5;
/** Until the last event is with every reader. */
const SETTLE_MS = 3_000;
const PROCESS = fileURLToPath(new URL('stream/readers-process.ts', import.meta.url));
const received = z.object({
  readers: z.number(),
  in_order: z.boolean(),
  sequences: z.number(),
  least: z.number(),
  most: z.number(),
});

let numbered = 0;

/** Captures single events at the rate; returns the duration of each request. */
async function captures({ url, key }: BenchInstance): Promise<number[]> {
  const began = performance.now();
  const durations: Promise<number>[] = [];
  for (let sent = 0; sent < PER_SECOND * SECONDS; sent += 1) {
    await wait(Math.max(0, began + (sent * 1_000) / PER_SECOND - performance.now()));
    const event = benchEvent(`stream-${numbered % SESSIONS}`, String(numbered).padStart(12, '0'));
    numbered += 1;
    const started = performance.now();
    durations.push(
      fetch(`${url}/api/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(event),
      }).then(async (answer) => {
        if (answer.status !== 202) throw new Error(`a capture was answered with ${answer.status}`);
        await answer.text();
        return performance.now() - started;
      }),
    );
  }
  return Promise.all(durations);
}

/** Captures while readers follow; returns the durations and what the readers received. */
async function followed(instance: BenchInstance) {
  const spec = { port: instance.port, key: instance.key, count: READERS };
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(spec)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const durations = await captures(instance);
  await wait(SETTLE_MS);
  child.stdin.end('report\n');
  const report = received.parse(JSON.parse(String((await lines.next()).value)));
  await new Promise((resolve) => child.once('exit', resolve));
  return { durations, report };
}

const instance = await startBenchInstance({
  RECOLLECT_STREAMS_PER_USER: String(READERS),
  RECOLLECT_RATE_READ: '0',
});
try {
  const alone: number[] = [];
  const beside: number[] = [];
  const reports: z.output<typeof received>[] = [];
  await captures(instance);
  const pid = instance.pid('api');
  const before = residentMib(pid);
  let peak = before;
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(...(await captures(instance)));
    const sampler = setInterval(() => {
      peak = Math.max(peak, residentMib(pid));
    }, 250);
    const { durations, report } = await followed(instance);
    clearInterval(sampler);
    beside.push(...durations);
    reports.push(report);
    say(JSON.stringify(report));
  }
  const events = PER_SECOND * SECONDS;
  const isComplete = (report: z.output<typeof received>) =>
    report.in_order && report.sequences === 1 && report.least === events && report.most === events;
  const p99 = { alone: percentile(alone, 0.99), beside: percentile(beside, 0.99) };
  process.stdout.write(
    `${JSON.stringify({
      bench: 'stream',
      readers: READERS,
      events_per_s: PER_SECOND,
      events_per_round: events,
      all_in_order_once: reports.every(isComplete),
      api_mib_more: Math.round(peak - before),
      capture_p50_ms: { alone: percentile(alone, 0.5), beside: percentile(beside, 0.5) },
      capture_p99_ms: p99,
      capture_p99_ratio: Math.round((p99.beside / p99.alone) * 100) / 100,
    })}\n`,
  );
} finally {
  await instance.stop();
}
