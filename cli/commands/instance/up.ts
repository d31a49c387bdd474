import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../../../config/config.ts';
import { EngineError } from '../../../infra/engines/engine-error.ts';
import { InstanceError } from '../../../infra/instance/instance-error.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { SupervisorError } from '../../../infra/supervisor/definitions.ts';
import { startInstance } from '../../../infra/supervisor/start-instance.ts';
import { findSupervisor } from '../../../infra/supervisor/stop-instance.ts';
import { AlreadyRunningError } from '../../../infra/supervisor/take-over.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { listenForInterrupts } from '../../interrupts.ts';
import { readySummary } from '../../summary.ts';
import { terminalProgress } from '../../text/terminal-progress.ts';
import { startDetached } from './up-detached.ts';

export interface UpOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly detach?: boolean;
  readonly verbose?: boolean;
}

export function addUp(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('up'), context.environment)
    .description('start everything and stay in the foreground until Ctrl-C')
    .option('--detach', 'leave it running in the background')
    .option('--port <port>', 'port of the API', parsePort)
    .option('--verbose', 'show every step as a line of its own')
    .action(async (options: UpOptions) => exit(await up(options, context)));
}

/** Starts an instance; resolves when it has been stopped, or at once when it already runs or is left in the background. */
export async function up(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  try {
    const running = findSupervisor(prepareDataDirectory(options.dataDir));
    if (running !== null) {
      sayAlreadyRunning(
        new AlreadyRunningError(running.pid, runningUrl(options.dataDir, running.pid)),
        options.dataDir,
        out,
      );
      return 0;
    }
    return options.detach ? await startDetached(options, context) : await runInForeground(options, context);
  } catch (error) {
    if (error instanceof AlreadyRunningError) {
      sayAlreadyRunning(error, options.dataDir, out);
      return 0;
    }
    if (isExpected(error)) {
      err(`${error.message}\n`);
      return 1;
    }
    throw error;
  }
}

async function runInForeground(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const { output, environment } = context;
  const progress = terminalProgress(output, { verbose: options.verbose ?? false });
  // Leaving at once still ends every child: each has a handler for the exit of this process.
  const interrupts = listenForInterrupts(() => process.exit(130));
  const apiPort = options.port ?? portFrom(environment['RECOLLECT_HTTP_PORT']);
  try {
    const instance = await startInstance({
      dataDir: options.dataDir,
      environment,
      progress,
      signal: interrupts.signal,
      apiPort,
    });
    progress.clear();
    output.out(readySummary(instance.status(), instance.instance, instance.credentialsPath));
    output.out('Press Ctrl-C to stop.\n');
    await interrupts.requested;
    progress.clear();
    output.out('Stopping …\n');
    await instance.stop();
    output.out('Stopped.\n');
    return 0;
  } catch (error) {
    progress.clear();
    if (!interrupts.signal.aborted || error instanceof AlreadyRunningError) throw error;
    output.out('Stopped before everything was ready.\n');
    return 130;
  } finally {
    interrupts.dispose();
  }
}

function sayAlreadyRunning(running: AlreadyRunningError, dataDir: string, out: (text: string) => void): void {
  const where = running.url === null ? 'is starting; see recollect status' : `runs at ${running.url}`;
  out(`Recollect already ${where} (process ${running.pid}, data in ${dataDir}).\n`);
}

function runningUrl(dataDir: string, pid: number): string | null {
  const state = readState(prepareDataDirectory(dataDir).stateFile);
  return state?.supervisor.pid === pid && state.phase === 'running' ? (state.url ?? null) : null;
}

/** Failures whose message says all that a person needs; anything else is our own mistake and shows its stack. */
function isExpected(error: unknown): error is Error {
  return (
    error instanceof ConfigError ||
    error instanceof EngineError ||
    error instanceof InstanceError ||
    error instanceof SupervisorError
  );
}

function portFrom(value: string | undefined): number | undefined {
  return value === undefined || value === '' ? undefined : parsePort(value);
}

function parsePort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError(`${value} is no port (1 to 65535).`);
}
