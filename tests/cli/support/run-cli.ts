import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';

const CLI = path.resolve(import.meta.dirname, '../../../cli/main.ts');

export interface CliRun {
  readonly child: ChildProcess;
  /** Resolves when the output so far contains a text; rejects when the process ends without it. */
  shows(text: string): Promise<void>;
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
}

/** Runs the command line as a process of its own. */
export function runCli(args: readonly string[], environment: Record<string, string> = {}): CliRun {
  const child = spawn(process.execPath, [CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...processEnvironment(), ...environment },
  });
  let output = '';
  const waiting = new Set<{ text: string; resolve: () => void; reject: (error: Error) => void }>();
  const collect = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    for (const one of waiting) if (output.includes(one.text)) one.resolve();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const ended = Promise.withResolvers<{ exitCode: number | null; output: string }>();
  child.once('close', (exitCode) => {
    for (const one of waiting)
      one.reject(new Error(`It ended (${exitCode}) and never showed "${one.text}":\n${output}`));
    ended.resolve({ exitCode, output });
  });
  const shows = async (text: string): Promise<void> => {
    if (output.includes(text)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.add({ text, resolve, reject });
    await promise;
  };
  return { child, shows, ended: ended.promise };
}
