import { Option } from 'commander';
import type { Command } from 'commander';
import { MAX_DAYS } from '../../../contract/operations.ts';
import { usageSchema } from '../../../contract/usage.ts';
import type { Usage } from '../../../contract/usage.ts';
import { USAGE_GROUPS } from '../../../domain/jobs.ts';
import type { UsageGroup } from '../../../domain/jobs.ts';
import type { Cli } from '../../cli.ts';
import { integer } from '../../options.ts';
import { table } from '../../output.ts';
import { grouped, minuteOf } from '../../text/text-layout.ts';

/** Returns dollars with cents; below $0.10 with two significant digits. */
function dollars(usd: number): string {
  if (usd === 0) return '$0';
  return usd >= 0.1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`;
}

function cells(name: string, sums: Usage['totals']): string[] {
  return [
    name,
    grouped(sums.calls),
    grouped(sums.cache_hits),
    grouped(sums.input_tokens),
    grouped(sums.tokens_cached),
    grouped(sums.output_tokens),
    dollars(sums.usd),
  ];
}

function budgetLine({ budget }: Usage): string {
  const share = budget.share === null ? '' : ` (${Math.round(budget.share * 100)} %)`;
  const coming = budget.reserved_tokens === 0 ? '' : `, ${grouped(budget.reserved_tokens)} reserved`;
  const until = minuteOf(budget.resets_at);
  return `budget of paid models today: ${grouped(budget.used_tokens)} of ${grouped(budget.quota_tokens)} tokens${share}${coming}, until ${until} UTC; the local model is free\n`;
}

/** Returns model costs by group with the total, the daily budget and alerts. */
export function usageText(usage: Usage, by: UsageGroup): string {
  const { totals, groups, alerts } = usage;
  const budget = budgetLine(usage);
  if (totals.calls === 0 && totals.cache_hits === 0)
    return `No model calls since ${usage.since.slice(0, 10)}.\n${budget}`;
  const rows = groups.map((group) => {
    const name = group.name ?? group.key ?? '(none)';
    return cells(group.day === null ? name : `${group.day}  ${name}`, group);
  });
  const head = [by.toUpperCase(), 'CALLS', 'FROM CACHE', 'TOKENS IN', 'PROMPT-CACHED', 'TOKENS OUT', 'COST'];
  const more = usage.more_groups ? 'More groups exist.\n' : '';
  const alertLines = alerts.map(
    (alert) =>
      `alert: ${alert.user.username} used ${Math.round(alert.share * 100)} % of the daily tokens on ${alert.day}\n`,
  );
  return `${table([head, ...rows, cells('all', totals)])}${more}${budget}${alertLines.join('')}`;
}

interface UsageOptions {
  readonly days: number;
  readonly groupBy: UsageGroup;
  readonly byDay?: true;
  readonly user?: string;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;

export function addUsage(program: Command, cli: Cli): void {
  cli
    .command(program, 'usage', 'show model costs and the remaining daily budget')
    .option('--days <n>', 'number of days', integer(1, MAX_DAYS), 30)
    .addOption(new Option('--group-by <key>', 'group rows by').choices(USAGE_GROUPS).default('model'))
    .option('--by-day', 'one row per group and day, of the ten groups that cost most')
    .option('--user <name>', 'filter by user; `me` for yourself (default for admins: all users)')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { days, groupBy, byDay, user, json }: UsageOptions) => {
        const since = new Date(Date.now() - days * DAY_MS).toISOString();
        const usage = await server.get('/usage', usageSchema, { since, group_by: groupBy, by_day: byDay, user });
        cli.print(json, usage, usageText(usage, groupBy));
      }),
    );
}
