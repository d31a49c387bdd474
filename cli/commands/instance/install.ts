import { type Command, InvalidArgumentError, Option, Argument } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { INSTALL_HOSTS, type InstallHost, type Scope, type Transport } from '../../install/host-files.ts';
import { InstallError } from '../../install/install-error.ts';
import { installHooks, type InstallPorts } from '../../install/install-hooks.ts';
import { mcpInstruction } from '../../install/mcp-line.ts';
import { runCommandIn } from '../../service/run-command.ts';

interface InstallOptions {
  readonly project?: string | true;
  readonly user?: true;
  readonly server?: string;
  readonly apiKeyFile?: string;
  readonly namespace?: string;
  readonly transport?: Transport;
  readonly allowPlain?: true;
  readonly check: boolean;
  readonly dryRun?: true;
  readonly mcp?: true;
  readonly write?: true;
  readonly dataDir: string;
}

export function addInstall(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(withScope(program.command('install').addArgument(hostArgument())), context.environment)
    .description(
      'write the hooks of an agent, and the key as RECOLLECT_API_KEY where it needs it, beside what is in its settings',
    )
    .option('--server <url>', 'a server on another machine; needs --api-key-file')
    .option('--api-key-file <file>', 'file with the key for it, - for stdin')
    .option('--namespace <name>', 'keep its sessions apart under this name', parseNamespace)
    .addOption(
      new Option(
        '--transport <way>',
        'http: sent by the agent where it can (default); client: by a command that spools (default for a server on another machine)',
      ).choices(['http', 'client']),
    )
    .option('--allow-plain-http', 'send the key over plain http to another machine')
    .option('--no-check', 'do not ask the server first')
    .option('--dry-run', 'show what would change and write nothing')
    .option('--mcp', 'only say how the agent is given the tools of memory (docs/mcp.md), and write nothing')
    .option('--write', 'with --mcp: also the tools that remember and forget')
    .action(async (host: InstallHost, options: InstallOptions) => {
      if (options.mcp === true) {
        context.output.out(mcpInstruction(host, scopeOf(options), options.dataDir, options.write === true));
        exit(0);
        return;
      }
      exit(
        await answering(context, () =>
          installHooks(
            {
              host,
              scope: scopeOf(options),
              dataDir: options.dataDir,
              transport: options.transport ?? null,
              namespace: options.namespace ?? null,
              server: options.server ?? null,
              keyFile: options.apiKeyFile ?? null,
              allowPlain: options.allowPlain ?? false,
              check: options.check,
              dryRun: options.dryRun ?? false,
            },
            installPorts(context),
          ),
        ),
      );
    });
}

export function installPorts(context: CommandContext): InstallPorts {
  return { context, run: runCommandIn(context.environment) };
}

/** The agent whose hooks are meant. */
export function hostArgument(): Argument {
  return new Argument('<agent>', 'whose hooks').choices([...INSTALL_HOSTS]);
}

/** Adds the options that say whose settings are meant. */
export function withScope(command: Command): Command {
  return command
    .addOption(new Option('--user', 'your own settings (the default)').conflicts('project'))
    .option('--project [folder]', 'the settings of a project, this folder unless one is named');
}

export function scopeOf({ project }: { readonly project?: string | true }): Scope {
  return project === undefined ? { kind: 'user' } : { kind: 'project', folder: project === true ? '.' : project };
}

/** Runs it and turns an InstallError into its message and exit code: 3 where there is no instance, else 1. */
export async function answering(context: CommandContext, work: () => Promise<void> | void): Promise<ExitCode> {
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
  throw new InvalidArgumentError('A namespace is 1 to 128 letters, digits, dots, dashes and underscores.');
}
