import type { Command } from 'commander';
import type { z } from 'zod';
import { scheduleAnswer, scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import { ago, minuteOf, short } from '../../text/text-layout.ts';

type Schedule = z.output<typeof scheduleSchema>;

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
    next[0] === undefined ? '-' : minuteOf(next[0]),
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
export function addSchedules(program: Command, cli: Cli): void {
  const command = cli.command(program, 'schedules', 'list and control schedules');
  cli
    .command(command, 'list', 'list schedules with next run, last run and result')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: boolean }) => {
        const { data } = await server.get('/schedules', dataOf(scheduleSchema));
        cli.print(json, data, scheduleTable(data, Date.now()));
      }),
    );

  for (const [action, description, done] of [
    ['pause', 'pause a schedule', 'paused'],
    ['resume', 'resume a schedule', 'resumed'],
    ['run', 'start a run of a schedule now', 'started'],
  ] as const) {
    const change = cli
      .command(command, action, description)
      .argument('<name>', 'name of the schedule')
      .action(
        cli.onServer(async (server, name: string, { reason }: { readonly reason?: string }) => {
          const body = reason === undefined ? undefined : { reason };
          await server.post(path`/schedules/${name}/${action}`, scheduleAnswer, body);
          cli.output.out(`${name} ${done}.\n`);
        }),
      );
    if (action === 'pause') change.requiredOption('--reason <text>', 'reason shown in the list');
  }
}
