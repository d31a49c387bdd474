import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { logPath, rotateLog } from '../../../infra/supervisor/log-file.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { listenForInterrupts } from '../../interrupts.ts';
import type { UpOptions } from './up.ts';

const LOOK_EVERY_MS = 100;
const MAIN = path.resolve(import.meta.dirname, '..', 'main.ts');

/** What the supervisor says when everything answers. */
const READY = 'Recollect is ready';
/** Looks at the log for it, once the state says so. */
const MAX_LOOKS = 50;

/** Starts the supervisor in the background, shows what it says until it is ready, and leaves it. */
export async function startDetached(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const layout = instanceLayout(options.dataDir);
  const log = logPath(layout.logs, 'supervisor');
  rotateLog(log);
  const handle = openSync(log, 'a', 0o600);
  const shown = statSync(log).size;
  const port = options.port === undefined ? [] : ['--port', String(options.port)];
  const child = spawn(process.execPath, [...process.execArgv, MAIN, 'up', '--data-dir', layout.dataDir, ...port], {
    detached: true,
    stdio: ['ignore', handle, handle],
    env: { ...context.environment },
  });
  closeSync(handle);
  const follower = new LogFollower(log, shown, context.output.out);
  // Told twice, the supervisor ends its children at once and leaves; killed, it would leave them behind.
  const interrupts = listenForInterrupts(() => child.kill('SIGTERM'));
  const exited = Promise.withResolvers<number>();
  child.once('error', (error) => exited.reject(error));
  child.once('exit', (code) => exited.resolve(code ?? 1));
  interrupts.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  try {
    for (;;) {
      const exitCode = await Promise.race([exited.promise, delay(LOOK_EVERY_MS, null)]);
      follower.show();
      if (exitCode !== null) return interrupts.signal.aborted ? 130 : exitCode === 0 ? 0 : 1;
      const state = readState(layout.stateFile);
      if (state?.phase === 'running' && state.supervisor.pid === child.pid && !interrupts.signal.aborted) {
        // The state says that it runs a moment before the log says where.
        for (let looks = 0; !follower.hasShown(READY) && looks < MAX_LOOKS; looks += 1) {
          await delay(LOOK_EVERY_MS);
          follower.show();
        }
        child.unref();
        context.output.out(`It keeps running (process ${child.pid}). recollect status, logs and down work on it.\n`);
        return 0;
      }
    }
  } finally {
    interrupts.dispose();
  }
}

/** Shows what is added to a file, except for the line that only makes sense in the foreground. */
class LogFollower {
  readonly #file: string;
  readonly #out: (text: string) => void;
  #position: number;
  #shown = '';

  constructor(file: string, position: number, out: (text: string) => void) {
    this.#file = file;
    this.#position = position;
    this.#out = out;
  }

  hasShown(words: string): boolean {
    return this.#shown.includes(words);
  }

  show(): void {
    const content = readFileSync(this.#file);
    const text = content.subarray(this.#position).toString('utf8');
    this.#position = content.length;
    this.#shown += text;
    const kept = text.split('\n').filter((line) => line !== 'Press Ctrl-C to stop.');
    if (kept.join('') !== '') this.#out(kept.join('\n'));
  }
}
