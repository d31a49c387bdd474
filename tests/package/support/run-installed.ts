import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';

/** Root tests the package as another user; others test it as themselves. */
export const OTHER_USER = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

export interface Run {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a command of a package folder in `home`, with nothing of this environment but the programs. Resolves with its output, errors included. */
export async function runInstalled(
  packageFolder: string,
  places: {
    readonly home: string;
    readonly cache: string;
    /** Folder of programs that precede those of the machine. */
    readonly programs?: string;
  },
  ...words: readonly string[]
): Promise<Run> {
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
  const [exitCode] = await once(child, 'close');
  return { exitCode: Number(exitCode), output };
}
