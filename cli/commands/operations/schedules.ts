import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { scheduleTable } from '../../text/schedule-table.ts';
import { changeSchedule, readSchedules } from '../../server/operations.ts';
import type { ScheduleChange } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';

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
