import type { Command } from 'commander';
import { Option } from 'commander';
import { readUsage } from '../../server/operations.ts';
import { USAGE_GROUPS } from '../../../domain/jobs.ts';
import type { UsageGroup } from '../../../domain/jobs.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer, withDataDir } from '../../options.ts';
import { usageText } from '../../text/usage-text.ts';
import { withServer } from '../../with-server.ts';

interface UsageOptions {
  readonly dataDir: string;
  readonly days: number;
  readonly groupBy: UsageGroup;
  readonly user?: string;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;
/** Longest period of the server. */
const MAX_DAYS = 400;

export function addUsage(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('usage'), environment)
    .description('show model costs and the remaining daily budget')
    .option('--days <n>', 'number of days', integer(1, MAX_DAYS), 30)
    .addOption(new Option('--group-by <key>', 'group rows by').choices(USAGE_GROUPS).default('model'))
    .option('--user <name>', 'filter by user; `me` for yourself (default for admins: all users)')
    .option('--json', 'print JSON')
    .action(async (options: UsageOptions) =>
      exit(
        await withServer(options.dataDir, context, async (_steering, client) => {
          const since = new Date(Date.now() - options.days * DAY_MS).toISOString();
          const { groupBy: by, user } = options;
          const usage = await readUsage(client, { since, by, ...(user === undefined ? {} : { user }) });
          output.out(options.json === true ? `${JSON.stringify(usage)}\n` : usageText(usage, by));
          return 0;
        }),
      ),
    );
}
