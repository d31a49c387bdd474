import type { Command } from 'commander';
import type { z } from 'zod';
import type { Cli } from '../../cli.ts';
import { integer } from '../../options.ts';
import { table } from '../../output.ts';
import { MAX_DAYS, statsSchema } from '../../../contract/operations.ts';

interface StatsOptions {
  readonly days: number;
  readonly instance?: boolean;
  readonly json?: boolean;
}

type Statistics = Pick<z.output<typeof statsSchema>, 'now' | 'days'>;
type Figure = Statistics['now'][number];

const nameOf = ({ metric, dimensions }: Figure): string => [metric, ...Object.values(dimensions)].join(' ');
const valueText = (value: number | undefined): string =>
  value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(4);

/** Returns each figure with its value at the first day, at the last day and now. */
export function statsText({ now, days }: Statistics): string {
  const [first] = days;
  const last = days.at(-1);
  const at = (figures: readonly Figure[] | undefined) => new Map(figures?.map((one) => [nameOf(one), one.value]));
  const columns = [...(first === undefined ? [] : [at(first.figures), at(last?.figures)]), at(now)];
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))].toSorted();
  if (names.length === 0) return 'No figures yet.\n';
  return table([
    ['FIGURE', ...(first === undefined ? [] : [first.date, last?.date ?? '']), 'NOW'],
    ...names.map((name) => [name, ...columns.map((column) => valueText(column.get(name)))]),
  ]);
}

export function addStats(program: Command, cli: Cli): void {
  cli
    .command(program, 'stats', 'show daily statistics')
    .option('--days <n>', 'number of days', integer(1, MAX_DAYS), 30)
    .option('--instance', 'show the complete instance (operators only)')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { days, instance, json }: StatsOptions) => {
        const scope = instance === true ? 'instance' : 'tenant';
        const answer = await server.get('/stats', statsSchema, { days, scope });
        cli.print(json, answer, statsText(answer));
      }),
    );
}
