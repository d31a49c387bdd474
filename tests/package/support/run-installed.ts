import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';

/** Root tests the package as another user; others test it as themselves. */
export const OTHER_USER = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

export interface Run {
  readonly exitCode: number;
  readonly output: string;
}

interface Places {
  readonly home: string;
  readonly cache: string;
  /** Folder of programs that precede those of the machine. */
  readonly programs?: string;
}

export interface StartedProgram {
  readonly child: ChildProcess;
  /** Returns what was printed so far, errors included. */
  readonly output: () => string;
  /** Resolves with the exit code, null after a signal that it does not handle. */
  readonly ended: Promise<number | null>;
}

/** Starts a command of a package folder in `home`, with nothing of this environment but the programs. */
export function startInstalled(packageFolder: string, places: Places, ...words: readonly string[]): StartedProgram {
  const child = spawn(process.execPath, [path.join(packageFolder, 'cli', 'bin.mjs'), ...words], {
    cwd: places.home,
    env: {
      PATH: `${places.programs ?? places.home}:${processEnvironment()['PATH'] ?? ''}`,
      HOME: places.home,
      RECOLLECT_CACHE_DIR: places.cache,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...OTHER_USER,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = Promise.withResolvers<number | null>();
  child.once('error', ended.reject).once('close', ended.resolve);
  return { child, output: () => output, ended: ended.promise };
}

/** Runs a command of a package folder as `startInstalled` does. Resolves with its output, errors included. */
export async function runInstalled(packageFolder: string, places: Places, ...words: readonly string[]): Promise<Run> {
  const { output, ended } = startInstalled(packageFolder, places, ...words);
  const exitCode = await ended;
  return { exitCode: Number(exitCode), output: output() };
}
