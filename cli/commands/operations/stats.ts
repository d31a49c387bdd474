import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
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

function daysOf(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw new InvalidArgumentError(`a whole number from 1 to ${MAX_DAYS}`);
  return days;
}

const nameOf = ({ metric, dimensions }: Figure): string => [metric, ...Object.values(dimensions)].join(' ');
const valueText = (value: number | undefined): string =>
  value === undefined ? '-' : Number.isInteger(value) ? String(value) : value.toFixed(4);

/** Each figure with its value at the first and the last day that has it, and now. */
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
    .description('show what there is, and how it grew')
    .option('--days <n>', 'how far back', daysOf, 30)
    .option('--instance', 'of the whole instance, for its operators')
    .option('--json', 'for programs')
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
