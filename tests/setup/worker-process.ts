import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { processEnvironment } from '../../config/process-environment.ts';

const ENTRY = fileURLToPath(new URL('../../workers/main.ts', import.meta.url));

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Returns its log so far. */
  log(): string;
  /** Kills it, as a crash does, and awaits its exit. */
  kill(): Promise<void>;
  /** Stops it with SIGTERM. Returns its exit code. */
  stop(): Promise<number | null>;
}

/** Returns a port of loopback that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** Starts the worker as a process, as the supervisor does, and awaits its readiness. */
export async function startWorkerProcess(environment: Readonly<Record<string, string>>): Promise<WorkerProcess> {
  const { PATH, HOME } = processEnvironment();
  const child = fork(ENTRY, { env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let log = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const failed = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`the worker ended with ${String(code)}`)),
  );
  await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => undefined); // From here on the test ends the process.
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    child,
    log: () => log,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
