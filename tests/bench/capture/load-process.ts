import { percentile } from '../figures.ts';
import { benchEvent, prepareRequest, renumber } from './requests.ts';
import { loadSpec } from './load.ts';
import type { LoadFigures } from './load.ts';
import { SocketClient } from './socket-client.ts';

// The load generator, a process of its own: connections that send prepared requests back to back. Prints one JSON line.

const spec = loadSpec.parse(JSON.parse(process.argv[2] ?? '{}'));
const latencies: number[] = [];
let accepted = 0;
let refused = 0;
let next = spec.firstNumber;
let measuring = false;
let running = true;

async function client(index: number): Promise<void> {
  const socket = await SocketClient.connect(spec.port);
  const sessions = Array.from({ length: spec.sessionsPerClient }, (_, n) => `${spec.name}-${index}-${n}`);
  const events = Array.from({ length: spec.batch }, (_, n) => benchEvent(sessions[n % sessions.length] ?? ''));
  const request = prepareRequest(spec, events);
  while (running) {
    renumber(request, next);
    next += spec.batch;
    const started = performance.now();
    const answer = await socket.request(request.bytes);
    const took = performance.now() - started;
    // An answer in lines counts at its end, another one at its start.
    const counts = spec.form === 'lines' ? answer.body.subarray(-64) : answer.body.subarray(0, 64);
    const stored = Number(/"accepted":(\d+)/.exec(counts.toString('latin1'))?.[1] ?? 0);
    if (answer.status !== 202) refused += spec.batch;
    if (!measuring) continue;
    accepted += stored;
    latencies.push(took);
  }
  socket.close();
}

const clients = Promise.all(Array.from({ length: spec.clients }, (_, index) => client(index)));
await new Promise((resolve) => setTimeout(resolve, spec.warmUpMs));
const started = performance.now();
measuring = true;
await Promise.race([clients, new Promise((resolve) => setTimeout(resolve, spec.measureMs))]);
measuring = false;
const seconds = (performance.now() - started) / 1_000;
running = false;
await clients;
const figures: LoadFigures = {
  accepted_per_s: Math.round(accepted / seconds),
  accepted,
  refused,
  sent: next - spec.firstNumber,
  p50_ms: percentile(latencies, 0.5),
  p99_ms: percentile(latencies, 0.99),
  requests: latencies.length,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
