import type { Command } from 'commander';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { stopInstance } from '../../../infra/supervisor/stop-instance.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';

export function addDown(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('down'), context.environment)
    .description('stop the instance and wait until it has stopped')
    .action(async (options: { dataDir: string }) => exit(await down(options.dataDir, context)));
}

/** Stops the instance of a data directory. Exit code 0 if none of its processes remains. */
export async function down(dataDir: string, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  const outcome = await stopInstance(instanceLayout(dataDir));
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
    default:
      return outcome satisfies never;
  }
}
