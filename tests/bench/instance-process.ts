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

/** Starts `recollect up` as `npm start` does, as a separate process with these settings; resolves when it reports that it is ready. */
export async function startInstanceProcess(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<InstanceProcess> {
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, ['--max-semi-space-size=4', CLI, 'up', '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...processEnvironment(), ...settings },
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
