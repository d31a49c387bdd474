import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { integer, withDataDir } from '../../options.ts';
import { table } from '../../output.ts';
import { queryOf } from '../../server/query.ts';
import { withServer } from '../../with-server.ts';

interface StatsOptions {
  readonly dataDir: string;
  readonly days: number;
  readonly instance?: boolean;
  readonly json?: boolean;
}

const MAX_DAYS = 400;
const figure = z.object({ metric: z.string(), dimensions: z.record(z.string(), z.string()), value: z.number() });
const statistics = z.object({
  now: z.array(figure),
  days: z.array(z.object({ date: z.string(), figures: z.array(figure) })),
});
type Statistics = z.output<typeof statistics>;

const nameOf = ({ metric, dimensions }: z.output<typeof figure>): string =>
  [metric, ...Object.values(dimensions)].join(' ');
const valueText = (value: number | undefined): string =>
  value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(4);

/** Returns each figure with its value at the first day, at the last day and now. */
export function statsText({ now, days }: Statistics): string {
  const [first] = days;
  const last = days.at(-1);
  const at = (figures: readonly z.output<typeof figure>[] | undefined) =>
    new Map(figures?.map((one) => [nameOf(one), one.value]));
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
          const answer = await client.request('GET', `/stats${queryOf({ days, scope })}`, statistics);
          output.out(json === true ? `${JSON.stringify(answer)}\n` : statsText(answer));
          return 0;
        }),
      ),
    );
}
