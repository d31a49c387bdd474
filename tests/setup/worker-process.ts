import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { processEnvironment } from '../../config/process-environment.ts';

/** A process of an instance. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** Returns its log so far. */
  log(): string;
  /** Returns what it wrote to stderr so far. */
  errors(): string;
  /** Kills it, as a crash does, and awaits its exit. */
  kill(): Promise<void>;
  /** Stops it with SIGTERM. Returns its exit code. */
  stop(): Promise<number | null>;
}

/** Below the ports that the system gives to servers and connections, and beside those that instances draw: until it is used, others may take one of those. */
const FIRST_PORT = 10_000;
/** Ports of one process that runs test files: others run at the same time. */
const PORTS = 1_000;
const PROCESSES = 8;

/** Returns a port of loopback that is free at the moment, and that no server or connection gets by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const own = FIRST_PORT + (Number(processEnvironment()['VITEST_POOL_ID'] ?? 0) % PROCESSES) * PORTS;
    const port = randomInt(own, own + PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Starts the worker as a process, as the supervisor does, and awaits its readiness. */
export function startWorkerProcess(environment: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  return startService('workers/main.ts', environment);
}

/** Starts a process of an instance by its entry file, as the supervisor does, and awaits its readiness. */
export async function startService(
  entry: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServiceProcess> {
  const { PATH, HOME } = processEnvironment();
  const file = fileURLToPath(new URL(`../../${entry}`, import.meta.url));
  const child = fork(file, { env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let log = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
    process.stderr.write(text);
  });
  // After its exit and the rest of its log.
  const closed = once(child, 'close');
  const failed = closed.then(([code]) => Promise.reject(new Error(`${entry} ended with ${String(code)}`)));
  await Promise.race([once(child, 'message'), failed]);
  failed.catch(() => undefined); // From here on the test ends the process.
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await closed;
    return child.exitCode;
  };
  return {
    child,
    log: () => log,
    errors: () => errors,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
