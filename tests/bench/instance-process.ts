import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { processEnvironment } from '../../config/process-environment.ts';

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

export interface InstanceProcess {
  readonly pid: number;
  /** From the start of the process until it reports that it is ready. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** A benchmark's one user sends more requests than people do. */
const NO_LIMITS = {
  RECOLLECT_RATE_CAPTURE: '0',
  RECOLLECT_RATE_READ: '0',
  RECOLLECT_RATE_WRITE: '0',
  RECOLLECT_RATE_ADMIN: '0',
};

/** Starts `recollect up` as `npm start` does, as a separate process with these settings; resolves when it reports that it is ready. */
export async function startInstanceProcess(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<InstanceProcess> {
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, ['--max-semi-space-size=4', CLI, 'up', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...processEnvironment(), ...NO_LIMITS, ...settings },
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.includes('Recollect is ready')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`recollect up ended with ${code}:\n${output}`)));
  });
  return {
    pid: child.pid ?? 0,
    readyMs: performance.now() - started,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
