import type { UsageGroup } from '../../domain/jobs.ts';
import type { Usage } from '../server/operations.ts';
import { table } from '../output.ts';

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
