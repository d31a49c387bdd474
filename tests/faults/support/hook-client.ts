import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';
import { hookCommandLine } from '../../../hook/command-line.ts';
import { spoolFolder } from '../../../hook/spool/folder.ts';
import { parseLine } from '../../../hook/spool/line.ts';
import type { SpoolLine } from '../../../hook/spool/line.ts';

export interface HookRunOptions {
  /** Killed so long after it was given its event. */
  readonly killAfterMs?: number;
  /** No file may become larger, as on a disk that is full: the write that reaches the bound is cut there. */
  readonly largestFileBytes?: number;
  /** The clock that the client and whatever it starts see, against the real one. */
  readonly clockShiftMs?: number;
}

export interface HookRunEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly tookMs: number;
}

/** Of POSIX shells' `ulimit -f`. */
const BLOCK_BYTES = 512;

/** Loaded before the client: no process can have the machine's clock set back for itself alone. */
function shiftedClock(shiftMs: number): string {
  const code = `const Real=Date;globalThis.Date=class extends Real{constructor(...a){if(a.length===0)super(Real.now()+${shiftMs});else super(...a)}static now(){return Real.now()+${shiftMs}}}`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

/** Runs the small client for one hook as an agent host does: by a shell, with the event on its standard input. */
export async function runHook(
  dataDir: string,
  payload: Readonly<Record<string, unknown>> & { readonly hook_event_name: string },
  options: HookRunOptions = {},
): Promise<HookRunEnd> {
  const bound =
    options.largestFileBytes === undefined ? '' : `ulimit -f ${Math.floor(options.largestFileBytes / BLOCK_BYTES)}; `;
  const command = `${bound}exec ${hookCommandLine(payload.hook_event_name, { dataDir })}`;
  const { PATH, HOME } = processEnvironment();
  const started = performance.now();
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH,
      HOME,
      ...(options.clockShiftMs === undefined ? {} : { NODE_OPTIONS: shiftedClock(options.clockShiftMs) }),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  // A client that was killed before it read has closed the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(payload));
  const closed = once(child, 'close');
  const timer =
    options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  await closed;
  clearTimeout(timer);
  return { exitCode: child.exitCode, signal: child.signalCode, output, tookMs: performance.now() - started };
}

/** Whole lines of a session that wait in the spool, in order. Halves are left out, as the drainer leaves them. */
export function spooledLines(dataDir: string, session: string): SpoolLine[] {
  const folder = spoolFolder(dataDir);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${session}.`))
    .sort()
    .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .flatMap((text) => {
      try {
        return [parseLine(text)];
      } catch {
        return []; // Empty, or half a line.
      }
    });
}

/** How often the client's own log says this. */
export function notesOf(dataDir: string, what: string): number {
  const file = path.join(dataDir, 'logs', 'hook.log');
  if (!existsSync(file)) return 0;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"what":"${what}"`)).length;
}
