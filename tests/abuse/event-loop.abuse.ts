import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordFigure } from './record-figure.ts';
import { startApiProcess } from './support/api-process.ts';
import type { ApiProcess } from './support/api-process.ts';
import { hostileBodies } from './support/hostile-bodies.ts';
import type { HostileBody } from './support/hostile-bodies.ts';

const HOOK_BYTES = 30 * 1024 * 1024;
const TARGET_MS = 100;
/** What else the machine does pauses the loop, too: of several rounds the best one tells what the input does. */
const ROUNDS = 4;

let api: ApiProcess;

beforeAll(async () => {
  api = await startApiProcess();
  // Code that runs for the first time is compiled: that pause is no input's.
  for (const body of hostileBodies(64 * 1024)) await send(body);
});
afterAll(() => api.close());

async function send({ path, bytes, type }: HostileBody): Promise<number> {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: { authorization: `Bearer ${api.admin.key}`, 'content-type': type ?? 'application/json' },
  });
  await response.arrayBuffer();
  return response.status;
}

/** The least of the longest pauses of some rounds; no more rounds once one is below the target. */
async function pauseOf(body: HostileBody): Promise<{ pauseMs: number; status: number }> {
  let pauseMs = Number.POSITIVE_INFINITY;
  let status = 0;
  for (let round = 0; round < ROUNDS && pauseMs > TARGET_MS; round += 1) {
    await api.longestPauseMs();
    status = await send(body);
    pauseMs = Math.min(pauseMs, await api.longestPauseMs());
  }
  return { pauseMs, status };
}

test('no input stops the event loop for longer than 100 ms', async () => {
  const pauses: Record<string, number> = {};
  for (const body of hostileBodies(HOOK_BYTES)) {
    const { pauseMs, status } = await pauseOf(body);
    pauses[`${body.name} (${status})`] = Math.round(pauseMs);
    expect([body.name, status < 500]).toEqual([body.name, true]);
  }
  process.stdout.write(`${JSON.stringify(pauses, null, 1)}\n`);
  recordFigure('loop_pause_max_ms', Math.max(...Object.values(pauses)));
  expect(Object.entries(pauses).filter(([, pauseMs]) => pauseMs > TARGET_MS)).toEqual([]);
  expect(api.hasEnded).toBe(false);
});
