import { existsSync } from 'node:fs';
import path from 'node:path';
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { transcriptFolder } from '../../../config/config.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { assertDurable } from '../../install/durable-path.ts';
import { InstallError } from '../../install/install-error.ts';
import { clientFile } from '../../install/server-access.ts';
import { installService, serviceStatus, uninstallService } from '../../service/manage-service.ts';
import type { ServicePorts } from '../../service/manage-service.ts';
import { runCommandIn, serviceDefinition, ServiceValueError } from '../../service/service-commands.ts';
import type { RunCommand } from '../../service/service-commands.ts';
import { serviceManager } from '../../service/service-manager.ts';

const ACTIONS = ['install', 'uninstall', 'status'] as const;
type Action = (typeof ACTIONS)[number];

const TASKS = ['instance', 'transcripts'] as const;
type Task = (typeof TASKS)[number];

export interface ServiceOptions {
  readonly dataDir: string;
  readonly run?: Task;
  readonly dryRun?: true;
}

/** System functions that tests replace. */
export interface ServiceSystem {
  readonly platform: NodeJS.Platform;
  readonly userId: number;
  readonly run: RunCommand;
}

export function addService(program: Command, cli: Cli): void {
  const description =
    'run the instance, or the import of transcripts to a remote server, at login (systemd or launchd)';
  cli
    .command(program, 'service', description)
    .addArgument(new Argument('<action>', 'action').choices([...ACTIONS]))
    .addOption(
      new Option(
        '--run <task>',
        'task to run (default: transcripts if only a remote server is configured, else instance)',
      ).choices([...TASKS]),
    )
    .option('--dry-run', 'show the file and write nothing')
    .action((action: Action, options: ServiceOptions) =>
      cli.exit(
        service(action, options, cli, {
          platform: process.platform,
          userId: process.getuid?.() ?? 0,
          run: runCommandIn(cli.environment),
        }),
      ),
    );
}

/** Returns `transcripts` if the data directory only configures a remote server, else `instance`. */
function taskOf({ dataDir, run }: ServiceOptions): Task {
  const isRemoteOnly = existsSync(clientFile(dataDir)) && !existsSync(path.join(dataDir, 'credentials.json'));
  return run ?? (isRemoteOnly ? 'transcripts' : 'instance');
}

/** Installs, removes or shows the service. Exit code 1 on a system without systemd or launchd. */
export function service(
  action: Action,
  options: ServiceOptions,
  { environment, output }: CommandContext,
  { platform, userId, run }: ServiceSystem,
): ExitCode {
  const manager = serviceManager(platform, environment, userId);
  if (manager === null) {
    const instead = taskOf(options) === 'transcripts' ? 'import transcripts --follow' : 'up --detach';
    output.err(`Services are not supported on ${platform}. Run recollect ${instead} instead.\n`);
    return 1;
  }
  const ports: ServicePorts = { manager, run, output };
  // Resolved here: the service does not have this shell's environment.
  const follows = taskOf(options) === 'transcripts' ? transcriptFolder(environment['CLAUDE_CONFIG_DIR']) : null;
  const definition = serviceDefinition(options.dataDir, environment, follows);
  if (action === 'status') return serviceStatus(ports);
  if (action === 'install' && definition.follows !== null && !existsSync(clientFile(options.dataDir))) {
    output.err('No remote server is configured: run recollect install claude-code --server URL --api-key-file FILE.\n');
    return 1;
  }
  try {
    if (action === 'install') assertDurable(definition.node, definition.cli);
    if (options.dryRun === true) {
      output.out(
        action === 'install'
          ? `# ${manager.file}\n${manager.render(definition)}`
          : `${manager.file} would be removed.\n`,
      );
      return 0;
    }
    return action === 'install' ? installService(definition, ports) : uninstallService(ports);
  } catch (error) {
    if (!(error instanceof ServiceValueError || error instanceof InstallError)) throw error;
    output.err(`${error.message}\n`);
    return 1;
  }
}
