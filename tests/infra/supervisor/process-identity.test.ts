import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isPortFree } from '../../../infra/instance/ports.ts';
import { identifyProcess, isAlive, waitUntil } from '../../../infra/supervisor/process-identity.ts';
import { freePort } from '../../setup/worker-process.ts';

/** Listens on the port that it is given; its threads take long to end because they share the processors with those of the others. */
const SERVER_WITH_BUSY_THREADS = `
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  const server = require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1', async () => {
    const threads = [1, 2, 3, 4].map(() => new Worker('for (;;);', { eval: true }));
    await Promise.all(threads.map((thread) => once(thread, 'online')));
    process.stdout.write('ready');
  });`;

async function startServer(port: number) {
  const child = spawn(process.execPath, ['-e', SERVER_WITH_BUSY_THREADS, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === null) throw new Error('The server ended.');
  return { child, identity, port };
}

test('a killed process is alive until its last thread has freed its ports', async () => {
  // Not ports that the system gives: nothing else may get one before the test looks.
  const ports = new Set<number>();
  while (ports.size < 8) ports.add(await freePort());
  const servers = await Promise.all([...ports].map(startServer));
  const freed = servers.map(async ({ child, identity, port }) => {
    expect(isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await waitUntil(() => !isAlive(identity), { timeoutMs: 100_000, everyMs: 1 });
    return isPortFree(port);
  });
  expect(await Promise.all(freed)).toEqual(servers.map(() => true));
});
