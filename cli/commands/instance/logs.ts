import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { isSystemError } from '../../../infra/instance/json-file.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { lastLines, logPath } from '../../../infra/supervisor/log-file.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer } from '../../options.ts';
import { interruptible } from '../../waiting.ts';

const DEFAULT_LINES = 40;
const POLL_MS = 200;

interface LogsOptions {
  readonly dataDir: string;
  readonly follow?: boolean;
  readonly lines: number;
}

export function addLogs(program: Command, cli: Cli): void {
  cli
    .command(program, 'logs', 'show the last lines of the logs of an instance')
    .argument('[service]', 'postgres, temporal, weaviate, worker, api or supervisor (default: all)')
    .option('--follow', 'show new lines until Ctrl-C')
    .option('--lines <count>', 'number of lines', integer(0, Number.MAX_SAFE_INTEGER), DEFAULT_LINES)
    .action(async (service: string | undefined, options: LogsOptions) =>
      cli.exit(await interruptible((signal) => logs(service, options, cli, signal))),
    );
}

/** Shows one log, or all with the service name before each line; with `follow`, until the signal aborts. */
export async function logs(
  service: string | undefined,
  options: LogsOptions,
  context: CommandContext,
  signal: AbortSignal,
): Promise<ExitCode> {
  const folder = instanceLayout(options.dataDir).logs;
  const known = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.log'))
        .map((name) => name.slice(0, -'.log'.length))
    : [];
  if (service !== undefined && !known.includes(service)) {
    context.output.err(`No log of ${service} in ${folder}. Available: ${known.join(', ') || 'none'}.\n`);
    return 1;
  }
  const names = service === undefined ? known.sort() : [service];
  const show = (name: string, line: string): void =>
    context.output.out(`${service === undefined ? `${name.padEnd(10)} ` : ''}${line}\n`);
  const positions = new Map<string, number>();
  for (const name of names) {
    const file = logPath(folder, name);
    positions.set(name, statSync(file).size);
    for (const line of lastLines(file, options.lines)) show(name, line);
  }
  while (options.follow && !signal.aborted) {
    for (const name of names)
      positions.set(
        name,
        showNew(logPath(folder, name), positions.get(name) ?? 0, (line) => show(name, line)),
      );
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return 0;
}

/** Shows the complete lines after a position; returns the next position. Restarts at 0 if the file was rotated. */
function showNew(file: string, position: number, show: (line: string) => void): number {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
  try {
    const size = statSync(file).size;
    const from = size < position ? 0 : position;
    const buffer = Buffer.alloc(size - from);
    readSync(handle, buffer, 0, buffer.length, from);
    const end = buffer.lastIndexOf('\n') + 1;
    if (end === 0) return from;
    for (const line of buffer
      .subarray(0, end - 1)
      .toString('utf8')
      .split('\n'))
      show(line);
    return from + end;
  } finally {
    closeSync(handle);
  }
}
