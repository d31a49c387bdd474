import { existsSync } from 'node:fs';
import path from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { transcriptFolder } from '../../../config/config.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { clientFile } from '../../install/server-access.ts';
import { installService, type ServicePorts, serviceStatus, uninstallService } from '../../service/manage-service.ts';
import { type RunCommand, runCommandIn } from '../../service/run-command.ts';
import { type ServiceDefinition, ServiceValueError } from '../../service/service-definition.ts';
import { serviceManager } from '../../service/service-manager.ts';

const ACTIONS = ['install', 'uninstall', 'status'] as const;
type Action = (typeof ACTIONS)[number];

const CLI_FILE = path.resolve(import.meta.dirname, '../main.ts');

const TASKS = ['instance', 'transcripts'] as const;
type Task = (typeof TASKS)[number];

export interface ServiceOptions {
  readonly dataDir: string;
  readonly run?: Task;
  readonly dryRun?: true;
}

/** What the command takes from the system it runs on. */
export interface ServiceSystem {
  readonly platform: NodeJS.Platform;
  readonly userId: number;
  readonly run: RunCommand;
}

export function addService(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(
    program.command('service').addArgument(new Argument('<action>', 'what to do').choices([...ACTIONS])),
    context.environment,
  )
    .description('start the instance at login, or what sends transcripts to a server elsewhere (systemd or launchd)')
    .addOption(
      new Option('--run <what>', 'default: transcripts where a server on another machine was installed alone').choices([
        ...TASKS,
      ]),
    )
    .option('--dry-run', 'show the file and write nothing')
    .action((action: Action, options: ServiceOptions) =>
      exit(
        service(action, options, context, {
          platform: process.platform,
          userId: process.getuid?.() ?? 0,
          run: runCommandIn(context.environment),
        }),
      ),
    );
}

/** What the data directory is for: it holds an instance, or it only names the server that this machine sends to. */
function taskOf({ dataDir, run }: ServiceOptions): Task {
  const isRemoteOnly = existsSync(clientFile(dataDir)) && !existsSync(path.join(dataDir, 'credentials.json'));
  return run ?? (isRemoteOnly ? 'transcripts' : 'instance');
}

/** Installs, removes or looks at the service. Exit code 1 where this system has no manager that is known. */
export function service(
  action: Action,
  options: ServiceOptions,
  { environment, output }: CommandContext,
  { platform, userId, run }: ServiceSystem,
): ExitCode {
  const manager = serviceManager(platform, environment, userId);
  if (manager === null) {
    const instead = taskOf(options) === 'transcripts' ? 'import transcripts --follow' : 'up --detach';
    output.err(`No way is known to start a program at login on ${platform}. Run recollect ${instead} instead.\n`);
    return 1;
  }
  const ports: ServicePorts = { manager, run, output };
  const definition: ServiceDefinition = {
    node: process.execPath,
    cli: CLI_FILE,
    dataDir: path.resolve(options.dataDir),
    searchPath: environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    // Named in the file: the service does not know this shell's settings.
    follows: taskOf(options) === 'transcripts' ? transcriptFolder(environment['CLAUDE_CONFIG_DIR']) : null,
  };
  if (action === 'status') return serviceStatus(ports);
  if (action === 'install' && definition.follows !== null && !existsSync(clientFile(options.dataDir))) {
    output.err(
      'No server on another machine is known: recollect install claude-code --server URL --api-key-file FILE names one.\n',
    );
    return 1;
  }
  try {
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
    if (!(error instanceof ServiceValueError)) throw error;
    output.err(`${error.message}\n`);
    return 1;
  }
}
