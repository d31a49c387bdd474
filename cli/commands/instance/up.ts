import type { Command } from 'commander';
import { ConfigError } from '../../../config/config.ts';
import { EngineError } from '../../../infra/engines/engine-error.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import type { Instance } from '../../../infra/instance/instance.ts';
import { SupervisorError } from '../../../infra/supervisor/definitions.ts';
import { findSupervisor, stopInstance } from '../../../infra/supervisor/stop-instance.ts';
import { AlreadyRunningError } from '../../../infra/supervisor/take-over.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import type { SupervisorState } from '../../../infra/supervisor/state.ts';
import { outliveOutput, table } from '../../output.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer } from '../../options.ts';
import { listenForInterrupts } from '../../waiting.ts';
import { isInPackageCache } from '../../install/durable-path.ts';
import { terminalProgress } from '../../text/terminal-progress.ts';
import { serverOf } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { backupInProgress, hooksOffer } from './activity.ts';
import { openOffer } from '../access/open.ts';
import { startDetached } from './up-detached.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { InstanceError } from '../../../infra/instance/instance-error.ts';

export function addDown(program: Command, cli: Cli): void {
  cli
    .command(program, 'down', 'stop the instance and wait until it has stopped')
    .action(async (options: { dataDir: string }) => cli.exit(await down(options.dataDir, cli)));
}

/** Stops the instance of a data directory. Exit code 0 if none of its processes remains. */
export async function down(dataDir: string, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  const layout = instanceLayout(dataDir);
  if (findSupervisor(layout) !== null) out(await answerFrom(dataDir, context, backupInProgress));
  const outcome = await stopInstance(layout);
  switch (outcome.kind) {
    case 'stopped':
      out(`Stopped (process ${outcome.pid}).\n`);
      return 0;
    case 'not-running':
      out(
        outcome.ended.length === 0
          ? 'The instance is not running.\n'
          : `The instance is not running; ended remaining processes: ${outcome.ended.join(', ')}.\n`,
      );
      return 0;
    case 'still-stopping':
      err(`Process ${outcome.pid} is still stopping. See recollect status.\n`);
      return 1;
    case 'occupied':
      err(`${occupiedText(outcome.pid)}\n`);
      return 1;
    default:
      return outcome satisfies never;
  }
}

/** Describes a process that has the lock of a data directory without running its instance. */
export function occupiedText(pid: number): string {
  return `Process ${pid} uses the data directory, as an upgrade or a start does. Try again once it has ended.`;
}

/** Returns the answer of the instance of a data directory; '' if it has no credentials yet. */
async function answerFrom(
  dataDir: string,
  { environment }: CommandContext,
  question: (server: ServerClient) => Promise<string>,
): Promise<string> {
  const server = serverOf(dataDir, environment, QUESTION_TIMEOUT_MS);
  return server === null ? '' : question(server);
}

/** Neither the start nor the stop waits for a slow api. */
const QUESTION_TIMEOUT_MS = 3_000;

const parsePort = integer(1, 65_535);

export interface UpOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly detach?: boolean;
  readonly verbose?: boolean;
}

export function addUp(program: Command, cli: Cli): void {
  cli
    .command(program, 'up', 'start the instance in the foreground until Ctrl-C')
    .option('--detach', 'run in the background')
    .option('--port <port>', 'port of the API', parsePort)
    .option('--verbose', 'print each step on its own line')
    .action(async (options: UpOptions) => cli.exit(await up(options, cli)));
}

/** Starts an instance; resolves once it has stopped, or at once if it already runs or runs detached. */
export async function up(options: UpOptions, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  if (isInPackageCache(import.meta.filename))
    out('This copy is in a cache of the package manager: npm install --global recollect installs one that stays.\n');
  try {
    const running = findSupervisor(prepareDataDirectory(options.dataDir));
    if (running !== null) {
      printAlreadyRunning(
        new AlreadyRunningError(running.pid, runningUrl(options.dataDir, running.pid)),
        options.dataDir,
        out,
      );
      return 0;
    }
    if (options.detach !== true) return await runInForeground(options, context);
    const exitCode = await startDetached(options, context);
    if (exitCode === 0 && context.output.columns !== null)
      out(await answerFrom(options.dataDir, context, (server) => openOffer(server, context.output)));
    return exitCode;
  } catch (error) {
    if (error instanceof AlreadyRunningError) {
      printAlreadyRunning(error, options.dataDir, out);
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
  // The end of this process would be that of the engines.
  outliveOutput();
  // An exit handler ends every child.
  const interrupts = listenForInterrupts(() => process.exit(130));
  const apiPort = options.port ?? portFrom(environment['RECOLLECT_HTTP_PORT']);
  try {
    // Loaded by this command alone: the clients of the engines are half of all modules.
    const { startInstance } = await import('../../../infra/supervisor/start-instance.ts');
    const instance = await startInstance({
      dataDir: options.dataDir,
      environment,
      progress,
      signal: interrupts.signal,
      apiPort,
    });
    progress.clear();
    const offer = await answerFrom(options.dataDir, context, (server) => hooksOffer(server, environment));
    // A detached start prints it in the terminal that it was started from.
    const link = await answerFrom(options.dataDir, context, (server) => openOffer(server, output));
    // In one piece: a detached start shows the log up to here.
    output.out(`${readySummary(instance.status(), instance.instance, instance.credentialsPath)}${offer}${link}`);
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

function printAlreadyRunning(running: AlreadyRunningError, dataDir: string, out: (text: string) => void): void {
  const where = running.url === null ? 'is starting; see recollect status' : `runs at ${running.url}`;
  out(`Recollect already ${where} (process ${running.pid}, data in ${dataDir}).\n`);
}

function runningUrl(dataDir: string, pid: number): string | null {
  const state = readState(prepareDataDirectory(dataDir).stateFile);
  return state?.supervisor.pid === pid && state.phase === 'running' ? (state.url ?? null) : null;
}

/** Returns true for errors with a message for the user; others are defects and show their stack. */
export function isExpected(error: unknown): error is Error {
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

/** Returns addresses, processes and folders of a ready instance. */
function readySummary(state: SupervisorState, instance: Instance, credentialsPath: string): string {
  const { ports, layout } = instance;
  const places: Readonly<Record<string, string>> = {
    api: state.url ?? '',
    postgres: `127.0.0.1:${ports.postgres}`,
    temporal: `127.0.0.1:${ports.temporalFrontend}`,
    weaviate: `http://127.0.0.1:${ports.weaviateHttp}`,
  };
  const services = Object.entries(state.nodes).filter(([, node]) => node.kind === 'service');
  const rows = services.map(([name, node]) => [
    ` ${name}`,
    node.status,
    places[name] ?? '',
    `process ${node.process?.pid ?? '-'}`,
  ]);
  return `\nRecollect is ready at ${state.url ?? 'an unknown address'}\n${table(rows)} credentials  ${credentialsPath}\n data         ${layout.dataDir}\n logs         ${layout.logs}\n`;
}
