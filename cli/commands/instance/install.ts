import { InvalidArgumentError, Option, Argument } from 'commander';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import type { Transport } from '../../install/host-files.ts';
import { HOOK_HOSTS } from '../../../domain/capture/hook-hosts.ts';
import type { HookHost } from '../../../domain/capture/hook-hosts.ts';
import type { Scope } from '../../install/hosts.ts';
import { installHooks, uninstallHooks } from '../../install/install-hooks.ts';
import { mcpInstruction } from '../../install/mcp-instruction.ts';
import { runCommandIn } from '../../service/service-commands.ts';
import { InstallError } from '../../install/install-error.ts';

interface InstallOptions {
  readonly project?: string | true;
  readonly user?: true;
  readonly server?: string;
  readonly apiKeyFile?: string;
  readonly namespace?: string;
  readonly transport?: Transport;
  readonly allowPlainHttp?: true;
  readonly check: boolean;
  readonly dryRun?: true;
  readonly mcp?: true;
  readonly write?: true;
  readonly dataDir: string;
}

export function addInstall(program: Command, cli: Cli): void {
  const description = 'add hooks, and RECOLLECT_API_KEY if needed, to the settings of an agent';
  withHost(cli.command(program, 'install', description))
    .option('--server <url>', 'use a server on another machine; requires --api-key-file')
    .option('--api-key-file <file>', 'file with an API key of that server, - for stdin')
    .option('--namespace <name>', 'namespace of the sessions', parseNamespace)
    .addOption(
      new Option(
        '--transport <transport>',
        'client: a command sends hooks and spools them while the server is unreachable (default); http: the agent sends them',
      ).choices(['http', 'client']),
    )
    .option('--allow-plain-http', 'allow sending the key over plain HTTP to another machine')
    .option('--no-check', 'skip the check of the server and of the version of Claude Code')
    .option('--dry-run', 'show what would change and write nothing')
    .option('--mcp', 'print how to add the MCP server to the agent (docs/mcp.md) and write nothing')
    .option('--write', 'with --mcp: include the tools that store and forget memories')
    .action(async (host: HookHost, options: InstallOptions) => {
      if (options.mcp === true) {
        const isWriter = options.write === true;
        cli.exit(
          await installExitCode(cli, () =>
            cli.output.out(mcpInstruction(host, scopeOf(options), options.dataDir, isWriter)),
          ),
        );
        return;
      }
      cli.exit(
        await installExitCode(cli, () =>
          installHooks(
            {
              host,
              scope: scopeOf(options),
              dataDir: options.dataDir,
              transport: options.transport ?? null,
              namespace: options.namespace ?? null,
              server: options.server ?? null,
              keyFile: options.apiKeyFile ?? null,
              allowPlain: options.allowPlainHttp ?? false,
              check: options.check,
              dryRun: options.dryRun ?? false,
            },
            { context: cli, run: runCommandIn(cli.environment) },
          ),
        ),
      );
    });
}

export function addUninstall(program: Command, cli: Cli): void {
  const description = 'remove the hooks and key of Recollect from the settings of an agent';
  withHost(cli.command(program, 'uninstall', description))
    .option('--dry-run', 'show what would change and write nothing')
    .action(async (host: HookHost, options: Pick<InstallOptions, 'project' | 'dryRun'>) =>
      cli.exit(
        await installExitCode(cli, () =>
          uninstallHooks({ host, scope: scopeOf(options), dryRun: options.dryRun ?? false }, cli),
        ),
      ),
    );
}

/** Adds the argument that names the agent, and the options that choose user or project settings. */
function withHost(command: Command): Command {
  return command
    .addArgument(new Argument('<agent>', 'agent to configure').choices([...HOOK_HOSTS]))
    .addOption(new Option('--user', 'change your user settings (default)').conflicts('project'))
    .option('--project [folder]', 'change the settings of a project (default: this folder)');
}

function scopeOf({ project }: { readonly project?: string | true }): Scope {
  return project === undefined ? { kind: 'user' } : { kind: 'project', folder: project === true ? '.' : project };
}

/** Runs `work`; prints an InstallError and returns its exit code: 3 without an instance, else 1. */
async function installExitCode(context: CommandContext, work: () => Promise<void> | void): Promise<ExitCode> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    context.output.err(`${error.message}\n`);
    return error.code === 'no-instance' ? 3 : 1;
  }
}

function parseNamespace(value: string): string {
  if (/^[A-Za-z0-9][\w.-]{0,127}$/.test(value)) return value;
  throw new InvalidArgumentError('Expected 1 to 128 letters, digits, dots, dashes or underscores.');
}
