import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';
import { spoolFolder } from '../../../hook/spool/folder.ts';
import { parseLine } from '../../../hook/spool/line.ts';
import type { SpoolLine } from '../../../hook/spool/line.ts';
import { hookCommandLine } from '../../../hook/command-line.ts';

export interface HookRunOptions {
  /** Kills the client this long after it received its event. */
  readonly killAfterMs?: number;
  /** Largest file size, as on a full disk: a write beyond it is truncated. */
  readonly largestFileBytes?: number;
  /** Offset of the clock that the client and its child processes see. */
  readonly clockShiftMs?: number;
}

export interface HookRunEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly tookMs: number;
}

/** Unit of `ulimit -f` in POSIX shells. */
const BLOCK_BYTES = 512;

/** Returns an option that loads a shifted `Date` before the client: a process has no clock of its own. */
function shiftedClock(shiftMs: number): string {
  const code = `const Real=Date;globalThis.Date=class extends Real{constructor(...a){if(a.length===0)super(Real.now()+${shiftMs});else super(...a)}static now(){return Real.now()+${shiftMs}}}`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

/** Runs the hook client as an agent host does: by a shell, with the event on standard input. */
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
  // A client that is killed before it reads closes the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(payload));
  const closed = once(child, 'close');
  const timer =
    options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs);
  await closed;
  clearTimeout(timer);
  return { exitCode: child.exitCode, signal: child.signalCode, output, tookMs: performance.now() - started };
}

/** Returns the complete spooled lines of a session, in order. Skips incomplete ones, like the drainer. */
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

/** Counts the entries with this `what` in the client's log. */
export function notesOf(dataDir: string, what: string): number {
  const file = path.join(dataDir, 'logs', 'hook.log');
  if (!existsSync(file)) return 0;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"what":"${what}"`)).length;
}
