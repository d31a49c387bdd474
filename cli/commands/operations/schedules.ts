import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { changeSchedule, readSchedules } from '../../server/operations.ts';
import type { ScheduleChange, Schedule } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';
import { table } from '../../output.ts';
import { ago, short } from '../../text/text-layout.ts';

const RESULT_CHARS = 60;

/** Returns the non-zero numbers of a result in one line. */
function resultText(last: Schedule['last_runs'][number] | undefined): string {
  if (last === undefined) return '-';
  if (last.error !== null) return last.error;
  const counts = Object.entries(last.result ?? {}).flatMap(([name, value]) =>
    typeof value === 'number' && value !== 0 ? [`${name} ${value}`] : [],
  );
  return short(counts.join(', '), RESULT_CHARS) || '-';
}

/** Returns schedules as a table, then the reasons of paused ones. */
function scheduleTable(schedules: readonly Schedule[], now: number): string {
  const head = ['SCHEDULE', 'STATE', 'NEXT (UTC)', 'LAST', 'ENDED', 'RESULT', 'DESCRIPTION'];
  const rows = schedules.map(({ name, state, next_runs: next, last_runs: [last], description }) => [
    name,
    state,
    next[0]?.slice(0, 16).replace('T', ' ') ?? '-',
    last === undefined ? '-' : ago(last.started_at, now),
    last?.state ?? '-',
    resultText(last),
    description,
  ]);
  const paused = schedules.flatMap(({ name, pause_reason: reason }) =>
    reason === null ? [] : [`${name}: ${reason}\n`],
  );
  return `${table([head, ...rows])}${paused.length === 0 ? '' : `\nPaused:\n${paused.join('')}`}`;
}

/** Adds `schedules` with its subcommands. */
export function addSchedules(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('schedules'), environment).description('list and control schedules');
  withDataDir(command.command('list'), environment)
    .description('list schedules with next run, last run and result')
    .option('--json', 'print JSON')
    .action(async ({ json }: { readonly json?: boolean }, self: Command) =>
      exit(
        await withServer(dataDirOf(self), context, async (_steering, client) => {
          const schedules = await readSchedules(client);
          output.out(json === true ? `${JSON.stringify(schedules)}\n` : scheduleTable(schedules, Date.now()));
          return 0;
        }),
      ),
    );

  const apply = (
    self: Command,
    name: string,
    change: ScheduleChange,
    done: string,
    reason?: string,
  ): Promise<ExitCode> =>
    withServer(dataDirOf(self), context, async (_steering, client) => {
      await changeSchedule(client, name, change, reason);
      output.out(`${name} ${done}.\n`);
      return 0;
    });
  withDataDir(command.command('pause'), environment)
    .description('pause a schedule')
    .argument('<name>', 'name of the schedule')
    .requiredOption('--reason <text>', 'reason shown in the list')
    .action(async (name: string, { reason }: { reason: string }, self: Command) =>
      exit(await apply(self, name, 'pause', 'paused', reason)),
    );
  for (const [action, description, done] of [
    ['resume', 'resume a schedule', 'resumed'],
    ['run', 'start a run of a schedule now', 'started'],
  ] as const)
    withDataDir(command.command(action), environment)
      .description(description)
      .argument('<name>', 'name of the schedule')
      .action(async (name: string, _options: object, self: Command) => exit(await apply(self, name, action, done)));
}
