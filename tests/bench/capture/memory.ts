import { request } from 'node:http';
import { residentMib } from '../process-tree.ts';
import type { BenchInstance } from './bench-instance.ts';
import { benchEvent } from './requests.ts';

const EVENTS = 100_000;
const SAMPLE_MS = 25;
const LIMIT_MS = 300_000;

function* lines(): Generator<string> {
  for (let sent = 0; sent < EVENTS; sent += 1)
    yield `${JSON.stringify(benchEvent(`ndjson-${sent % 20}`, String(sent).padStart(12, '0')))}\n`;
}

/** Sends all events in one request at the server's pace; resolves with the last line of the response. */
function send(instance: BenchInstance): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = request({
      host: '127.0.0.1',
      port: instance.port,
      path: '/api/v1/events/batch',
      method: 'POST',
      headers: { authorization: `Bearer ${instance.key}`, 'content-type': 'application/x-ndjson' },
      timeout: LIMIT_MS,
    });
    sending.on('error', reject);
    sending.on('response', (answer) => {
      let tail = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        tail = (tail + text).slice(-1_000);
      });
      answer.on('end', () => resolve(tail.trimEnd().split('\n').at(-1) ?? ''));
      answer.on('error', reject);
    });
    const source = lines();
    const write = (): void => {
      for (let next = source.next(); next.done !== true; next = source.next())
        if (!sending.write(next.value)) {
          sending.once('drain', write);
          return;
        }
      sending.end();
    };
    write();
  });
}

/** Measures the growth of the API's memory during a request of 100,000 events. */
export async function ndjsonMemory(instance: BenchInstance): Promise<object> {
  const pid = instance.pid('api');
  const before = residentMib(pid);
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMib(pid));
  }, SAMPLE_MS);
  const started = performance.now();
  const counts = await send(instance);
  const seconds = (performance.now() - started) / 1_000;
  clearInterval(sampler);
  return {
    events: EVENTS,
    before_mib: Math.round(before),
    grows_mib: Math.round(peak - before),
    accepted_per_s: Math.round(EVENTS / seconds),
    counts: JSON.parse(counts),
  };
}
