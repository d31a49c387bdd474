import { Option } from 'commander';
import type { Command } from 'commander';
import { readUsage } from '../../server/operations.ts';
import type { Usage } from '../../server/operations.ts';
import { USAGE_GROUPS } from '../../../domain/jobs.ts';
import type { UsageGroup } from '../../../domain/jobs.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer, withDataDir } from '../../options.ts';
import { withServer } from '../../with-server.ts';
import { table } from '../../output.ts';

/** Returns dollars with cents; below $0.10 with two significant digits. */
function dollars(usd: number): string {
  if (usd === 0) return '$0';
  return usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

type Sums = Usage['totals'];

function cells(name: string, sums: Sums): string[] {
  return [
    name,
    count(sums.calls),
    count(sums.cache_hits),
    count(sums.input_tokens),
    count(sums.tokens_cached),
    count(sums.output_tokens),
    dollars(sums.usd),
  ];
}

function budgetLine({ budget }: Usage): string {
  const share = budget.share === null ? '' : ` (${Math.round(budget.share * 100)} %)`;
  const coming = budget.reserved_tokens === 0 ? '' : `, ${count(budget.reserved_tokens)} reserved`;
  const until = budget.resets_at.slice(0, 16).replace('T', ' ');
  return `today: ${count(budget.used_tokens)} of ${count(budget.quota_tokens)} tokens${share}${coming}, until ${until} UTC\n`;
}

/** Returns model costs by group with the total, the daily budget and alerts. */
export function usageText(usage: Usage, by: UsageGroup): string {
  const { totals, groups, alerts } = usage;
  const budget = budgetLine(usage);
  if (totals.calls === 0 && totals.cache_hits === 0)
    return `No model calls since ${usage.since.slice(0, 10)}.\n${budget}`;
  const rows = groups.map((group) => cells(group.name ?? group.key ?? '(none)', group));
  const head = [by.toUpperCase(), 'CALLS', 'FROM CACHE', 'TOKENS IN', 'PROMPT-CACHED', 'TOKENS OUT', 'COST'];
  const more = usage.more_groups ? 'More groups exist.\n' : '';
  const alertLines = alerts.map(
    (alert) =>
      `alert: ${alert.user.username} used ${Math.round(alert.share * 100)} % of the daily tokens on ${alert.day}\n`,
  );
  return `${table([head, ...rows, cells('all', totals)])}${more}${budget}${alertLines.join('')}`;
}

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
