import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { readUsage } from '../../server/operations.ts';
import { USAGE_GROUPS } from '../../../domain/jobs.ts';
import type { UsageGroup } from '../../../domain/jobs.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { usageText } from '../../text/usage-text.ts';
import { withServer } from '../../with-server.ts';

interface UsageOptions {
  readonly dataDir: string;
  readonly days: number;
  readonly by: UsageGroup;
  readonly user?: string;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;
/** The server answers no longer time. */
const MAX_DAYS = 400;

function daysOf(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw new InvalidArgumentError(`a whole number from 1 to ${MAX_DAYS}`);
  return days;
}

export function addUsage(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('usage'), environment)
    .description('show what models cost, and what is left of the day')
    .option('--days <n>', 'how far back', daysOf, 30)
    .addOption(new Option('--by <what>', 'rows of the table').choices(USAGE_GROUPS).default('model'))
    .option('--user <name>', 'one user; me for oneself; for admins everybody without it')
    .option('--json', 'for programs')
    .action(async (options: UsageOptions) =>
      exit(
        await withServer(options.dataDir, context, async (_steering, client) => {
          const since = new Date(Date.now() - options.days * DAY_MS).toISOString();
          const { by, user } = options;
          const usage = await readUsage(client, { since, by, ...(user === undefined ? {} : { user }) });
          output.out(options.json === true ? `${JSON.stringify(usage)}\n` : usageText(usage, by));
          return 0;
        }),
      ),
    );
}
