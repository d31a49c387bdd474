import type { Command } from 'commander';
import type { z } from 'zod';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer, withDataDir } from '../../options.ts';
import { table } from '../../output.ts';
import { statsSchema } from '../../../contract/operations.ts';
import { withServer } from '../../with-server.ts';

interface StatsOptions {
  readonly dataDir: string;
  readonly days: number;
  readonly instance?: boolean;
  readonly json?: boolean;
}

const MAX_DAYS = 400;
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
  const columns = [at(first?.figures), at(last?.figures), at(now)];
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))].toSorted();
  if (names.length === 0) return 'No figures yet.\n';
  return table([
    ['FIGURE', first?.date ?? '-', last?.date ?? '-', 'NOW'],
    ...names.map((name) => [name, ...columns.map((column) => valueText(column.get(name)))]),
  ]);
}

export function addStats(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(program.command('stats'), environment)
    .description('show daily statistics')
    .option('--days <n>', 'number of days', integer(1, MAX_DAYS), 30)
    .option('--instance', 'show the complete instance (operators only)')
    .option('--json', 'print JSON')
    .action(async ({ dataDir, days, instance, json }: StatsOptions) =>
      exit(
        await withServer(dataDir, context, async (_steering, client) => {
          const scope = instance === true ? 'instance' : 'tenant';
          const answer = await client.get('/stats', statsSchema, { days, scope });
          output.out(json === true ? `${JSON.stringify(answer)}\n` : statsText(answer));
          return 0;
        }),
      ),
    );
}
