import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MODULE_EXTENSION } from '../../../config/module-files.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { logPath, rotateLog } from '../../../infra/supervisor/log-file.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { listenForInterrupts } from '../../waiting.ts';
import type { UpOptions } from './up.ts';

const POLL_MS = 100;
const MAIN = path.resolve(import.meta.dirname, `../../main${MODULE_EXTENSION}`);

/** The supervisor logs this once all services are ready. */
const READY = 'Recollect is ready';
/** Polls of the log for it after the state is `running`: half a minute. */
const MAX_POLLS = 300;

/** Starts the supervisor in the background and shows its log until the instance is ready. */
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
  // On a second SIGTERM the supervisor ends its children at once; SIGKILL would orphan them.
  const interrupts = listenForInterrupts(() => child.kill('SIGTERM'));
  const exited = Promise.withResolvers<number>();
  child.once('error', (error) => exited.reject(error));
  child.once('exit', (code) => exited.resolve(code ?? 1));
  interrupts.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  let polls = 0;
  try {
    for (;;) {
      const exitCode = await Promise.race([exited.promise, delay(POLL_MS, null)]);
      follower.show();
      if (exitCode !== null) return interrupts.signal.aborted ? 130 : exitCode === 0 ? 0 : 1;
      const state = readState(layout.stateFile);
      const isRunning = state?.phase === 'running' && state.supervisor.pid === child.pid && !interrupts.signal.aborted;
      // The state changes shortly before the log line with the address.
      if (isRunning && (follower.hasShown(READY) || (polls += 1) > MAX_POLLS)) {
        child.unref();
        context.output.out(`Running in the background (process ${child.pid}). Use recollect status, logs and down.\n`);
        return 0;
      }
    }
  } finally {
    interrupts.dispose();
  }
}

/** Shows new lines of a file except the hint on Ctrl-C. */
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

  hasShown(text: string): boolean {
    return this.#shown.includes(text);
  }

  show(): void {
    const content = readFileSync(this.#file);
    const text = content.subarray(this.#position).toString('utf8');
    this.#position = content.length;
    this.#shown += text;
    const lines = text.split('\n').filter((line) => line !== 'Press Ctrl-C to stop.');
    if (lines.join('') !== '') this.#out(lines.join('\n'));
  }
}
