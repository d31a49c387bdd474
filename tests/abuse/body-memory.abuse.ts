import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordFigure } from './record-figure.ts';
import { startApiProcess } from './support/api-process.ts';
import type { ApiProcess } from './support/api-process.ts';
import { hostileBodies } from './support/hostile-bodies.ts';

const CLIENTS = 20;
const DURATION_MS = 60_000;
const HOOK_BYTES = 32 * 1024 * 1024 - 1024;
/**
 * Bodies in memory (160 MiB), the heap of the process (768 MiB) and of its thread (512 + 32 MiB), and the overhead of V8 and the
 * connections. Twenty bodies of 32 MiB, parsed without these bounds, need several GiB or end the process.
 */
const BOUND_MIB = 160 + 768 + 544 + 128;

let api: ApiProcess;

beforeAll(async () => {
  api = await startApiProcess();
});
afterAll(() => api.close());

test('memory stays within its bounds while 20 clients send the largest bodies', async () => {
  const keys = await Promise.all(Array.from({ length: CLIENTS }, async () => (await api.db.createUser()).key));
  const bodies = hostileBodies(HOOK_BYTES).map((body) => ({ ...body, bytes: new Uint8Array(body.bytes) }));
  const before = api.residentMib();
  const until = performance.now() + DURATION_MS;
  const statuses = new Map<number, number>();
  let most = before;
  const watch = async () => {
    while (performance.now() < until && !api.hasEnded) {
      most = Math.max(most, api.residentMib());
      await pause(100);
    }
  };
  const client = async (key: string, number: number) => {
    for (let turn = number; performance.now() < until; turn += 1) {
      const { path, bytes, type } = bodies[turn % bodies.length] ?? { path: '/events', bytes: new Uint8Array() };
      // Every third client sends no content-length, and one in four has an unknown key.
      const body = number % 3 === 0 ? new Blob([bytes]).stream() : bytes;
      const status = await fetch(`${api.url}/api/v1${path}`, {
        method: 'POST',
        body,
        duplex: 'half',
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(until - performance.now()))),
        headers: {
          authorization: `Bearer ${number % 4 === 3 ? 'rcl_not-a-key-of-anybody' : key}`,
          'content-type': type ?? 'application/json',
        },
      })
        .then(async (response) => (await response.arrayBuffer(), response.status))
        // The server closed the connection of a rejected body, or the time ended, possibly while the response was read.
        .catch(() => 0);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all([watch(), ...keys.map(client)]);
  const growth = Math.round(most - before);
  process.stdout.write(
    `${JSON.stringify({ before: Math.round(before), most: Math.round(most), ...Object.fromEntries(statuses) })}\n`,
  );
  recordFigure('api_memory_growth_mib', growth);
  expect(api.hasEnded).toBe(false);
  expect(growth).toBeLessThan(BOUND_MIB);
  const health = await fetch(`${api.url}/health/live`);
  expect(health.status).toBe(200);
});
