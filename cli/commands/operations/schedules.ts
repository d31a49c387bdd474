import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { scheduleTable } from '../../text/schedule-table.ts';
import { changeSchedule, readSchedules } from '../../server/operations.ts';
import type { ScheduleChange } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';

/** `jobs schedules`, and pause, resume and run of one. */
export function addSchedules(jobs: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  withDataDir(jobs.command('schedules'), environment)
    .description('show what runs by itself, when it ran and what came of it')
    .option('--json', 'for programs')
    .action(async (_options: object, self: Command) =>
      exit(
        await withServer(dataDirOf(self), context, async (_steering, client) => {
          const schedules = await readSchedules(client);
          // The command above knows the same option, and is given it first.
          const isJson = self.optsWithGlobals<{ json?: boolean }>().json === true;
          output.out(isJson ? `${JSON.stringify(schedules)}\n` : scheduleTable(schedules, Date.now()));
          return 0;
        }),
      ),
    );

  const change = (
    self: Command,
    name: string,
    what: ScheduleChange,
    done: string,
    reason?: string,
  ): Promise<ExitCode> =>
    withServer(dataDirOf(self), context, async (_steering, client) => {
      await changeSchedule(client, name, what, reason);
      output.out(`${name} ${done}.\n`);
      return 0;
    });
  withDataDir(jobs.command('pause'), environment)
    .description('stop starting runs of a schedule, until it is resumed')
    .argument('<name>', 'of a schedule')
    .requiredOption('--reason <text>', 'shown to whoever looks')
    .action(async (name: string, { reason }: { reason: string }, self: Command) =>
      exit(await change(self, name, 'pause', 'is paused', reason)),
    );
  for (const [what, description, done] of [
    ['resume', 'have a schedule go on', 'goes on'],
    ['run', 'start a run of a schedule now', 'is started'],
  ] as const)
    withDataDir(jobs.command(what), environment)
      .description(description)
      .argument('<name>', 'of a schedule')
      .action(async (name: string, _options: object, self: Command) => exit(await change(self, name, what, done)));
}
