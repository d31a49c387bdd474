import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import type { InstallHost } from '../../install/host-files.ts';
import { uninstallHooks } from '../../install/install-hooks.ts';
import { answering, hostArgument, installPorts, scopeOf, withScope } from './install.ts';

interface UninstallOptions {
  readonly project?: string | true;
  readonly dryRun?: true;
}

export function addUninstall(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(withScope(program.command('uninstall').addArgument(hostArgument())), context.environment)
    .description('take our hooks out of the settings of an agent, and nothing else')
    .option('--dry-run', 'show what would change and write nothing')
    .action(async (host: InstallHost, options: UninstallOptions) =>
      exit(
        await answering(context, () =>
          uninstallHooks({ host, scope: scopeOf(options), dryRun: options.dryRun ?? false }, installPorts(context)),
        ),
      ),
    );
}
