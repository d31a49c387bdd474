import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ConfigError, parseApiConfig, parseConfig, withoutMigrationSettings } from '../../../config/config.ts';
import { NO_TELEMETRY } from '../../../config/process-environment.ts';
import type { Environment } from '../../../config/process-environment.ts';
import { cacheDirectory } from '../../../infra/instance/layout.ts';
import { nodeCommand, nodeEnvironment } from '../../../infra/supervisor/node-service.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';

interface ServerOptions {
  readonly dataDir: string;
}

/** Returns the environment of a process against external engines: the settings, with the default cache. */
export function serverEnvironment(environment: Environment, dataDir: string): Environment {
  return { ...environment, RECOLLECT_DATA_DIR: dataDir, RECOLLECT_CACHE_DIR: cacheDirectory(environment) };
}

export function addServer(program: Command, cli: Cli): void {
  cli
    .command(program, 'server', 'run the api against the engines that the settings name, until it is stopped')
    .action(async ({ dataDir }: ServerOptions) =>
      cli.exit(await run('api/main', serverEnvironment(cli.environment, dataDir), cli)),
    );
}

export function addWorker(program: Command, cli: Cli): void {
  cli
    .command(program, 'worker', 'run a worker against the engines that the settings name, until it is stopped')
    .option(
      '--queues <names>',
      'task queues to serve, separated by commas (default: RECOLLECT_WORKER_QUEUES, else all)',
    )
    .action(async ({ dataDir, queues }: ServerOptions & { readonly queues?: string }) => {
      const environment = serverEnvironment(cli.environment, dataDir);
      const named = queues === undefined ? environment : { ...environment, RECOLLECT_WORKER_QUEUES: queues };
      cli.exit(await run('workers/main', named, cli));
    });
}

/** Runs a process until it ends, and passes signals on. Invalid settings are printed and start nothing. Exit code 0 after a requested stop. */
async function run(
  entry: 'api/main' | 'workers/main',
  environment: Environment,
  { output }: CommandContext,
): Promise<ExitCode> {
  try {
    if (entry === 'api/main') parseApiConfig(environment);
    else parseConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    output.err(`${error.message}\n`);
    return 1;
  }
  const { file, args } = nodeCommand(entry, {});
  const child = spawn(file, args, {
    env: {
      ...NO_TELEMETRY,
      ...nodeEnvironment(cacheDirectory(environment)),
      ...withoutMigrationSettings(environment),
    },
    stdio: 'inherit',
  });
  const ended = Promise.withResolvers<number>();
  child.once('error', ended.reject).once('exit', (code) => ended.resolve(code ?? 1));
  // A terminal sends its signals to both processes.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  return (await ended.promise) === 0 ? 0 : 1;
}
