import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, inject, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { familyOf } from '../bench/process-tree.ts';
import { untilTrue } from '../setup/until.ts';

const CLI = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const folders: string[] = [];

interface Demo {
  readonly child: ChildProcess;
  output(): string;
  /** Awaits a text in the output. Throws with the output if the demo ends before. */
  prints(text: string): Promise<void>;
  dataDir(): string | undefined;
}

/** Starts `recollect demo` as a user does. */
function startDemo(): Demo {
  const child = spawn(process.execPath, [CLI, 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...processEnvironment(),
      RECOLLECT_CACHE_DIR: inject('cacheDir'),
      // With other tests on the machine, the first search would exceed its time while the model is loaded, and a worker with low priority would starve.
      RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: '20000',
      RECOLLECT_WORKER_NICENESS: '0',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  return {
    child,
    output: () => output,
    prints: (text) =>
      untilTrue(
        async () => {
          if (output.includes(text)) return true;
          if (child.exitCode !== null) throw new Error(`the demo ended with ${child.exitCode}:\n${output}`);
          return false;
        },
        240_000,
        async () => `"${text}" in:\n${output}`,
      ),
    dataDir: () => {
      const found = /data in (\S+)/.exec(output)?.[1];
      if (found !== undefined && !folders.includes(found)) folders.push(found);
      return found;
    },
  };
}

function isAlive(pid: number): boolean {
  // A zombie process has ended.
  return existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

// Both demos have ports and folders of their own; most of the time they wait for the engines to start.
describe.concurrent('recollect demo', { timeout: 600_000 }, () => {
  test('shows the memory of the recorded session in 100 columns and leaves nothing running', async ({ expect }) => {
    const demo = startDemo();
    const ended = once(demo.child, 'close');
    await demo.prints('replay');
    const family = familyOf(demo.child.pid ?? 0);
    expect(family.length).toBeGreaterThan(5);
    expect((await ended)[0]).toBe(0);
    demo.dataDir();
    const output = demo.output();
    for (const part of [
      'Session summary',
      'Learnings (',
      'Hybrid search',
      'Context for the next session',
      'tokens',
      'npm start',
      'hooks',
      '/docs',
    ])
      expect(output).toContain(part);
    expect(output).toContain('best_practice');
    expect(output).not.toContain('AKIA');
    expect(output).not.toContain('degraded');
    // Only the displayed memory; progress lines and addresses may be wider.
    const shown = output.slice(output.indexOf('── Captured events'), output.indexOf('── Next steps'));
    expect(shown.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(family.filter(isAlive)).toEqual([]);
  });

  test('Ctrl-C in the middle leaves no process behind', async ({ expect }) => {
    const demo = startDemo();
    const ended = once(demo.child, 'close');
    await demo.prints('replay');
    const family = familyOf(demo.child.pid ?? 0);
    demo.child.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    demo.dataDir();
    expect(family.length).toBeGreaterThan(5);
    expect(family.filter(isAlive)).toEqual([]);
  });
});
