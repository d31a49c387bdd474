import type { Command } from 'commander';
import type { Steering } from '../../server/steering.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, integer, withDataDir } from '../../options.ts';
import { sessionTable, stuckText } from '../../text/job-table.ts';
import { withServer } from '../../with-server.ts';

interface SessionsOptions {
  readonly dataDir: string;
  readonly stuck?: boolean;
  readonly project?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Default of --wait; the job continues beyond it. */
const DEFAULT_WAIT_SECONDS = 60;

export function addSessions(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('sessions'), environment)
    .description('list sessions with phase and wait reason, newest first')
    .option('--stuck', 'show only stuck sessions and the reason')
    .option('--project <project>', 'filter by project: id, git remote, folder or name')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(async (options: SessionsOptions) =>
      exit(
        await withServer(options.dataDir, context, async (steering) => {
          const { data, degraded } = await steering.jobs({
            kind: 'session',
            state: options.stuck === true ? 'stuck' : 'all',
            project: options.project,
            limit: Number(options.limit),
          });
          if (options.json === true) output.out(`${JSON.stringify(data)}\n`);
          else if (data.length === 0)
            output.out(
              options.stuck === true
                ? 'No stuck sessions. Waiting ones: recollect jobs --kind session --state waiting.\n'
                : 'No sessions yet.\n',
            );
          else output.out(`${sessionTable(data, Date.now())}${stuckText(data)}`);
          if (degraded.length > 0) output.err('Temporal is unavailable: the list comes from the database alone.\n');
          return 0;
        }),
      ),
    );

  const subcommand = (name: string, description: string): Command =>
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<id>', 'id of the session, or host:id');
  const onServer = async (self: Command, work: (steering: Steering) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, work));

  for (const [name, what, description] of [
    ['summarise', 'summaries', 'summarise a session now without ending it'],
    ['close', 'close', 'end a session: summarise, extract learnings, index'],
  ] as const) {
    subcommand(name, description)
      .option('--wait <seconds>', 'seconds to wait for completion', integer(0, 60), DEFAULT_WAIT_SECONDS)
      .action((id: string, options: { readonly wait: number }, self: Command) =>
        onServer(self, async (steering) => {
          const order = await steering.order(id, what, options.wait);
          if (!order.done) output.out(`${order.job.id} is still running. See recollect jobs.\n`);
          else if (order.settled) output.out('The session is settled.\n');
          else if (order.summary_id !== null) output.out(`Summary: ${order.summary_id}\n`);
          else
            output.out(
              `No summary${order.last_error === null ? ': nothing to summarise' : ` (${order.last_error})`}.\n`,
            );
          return order.done && order.last_error !== null ? 1 : 0;
        }),
      );
  }

  withDataDir(command.command('capture'), environment)
    .description('enable or disable the capture of a session')
    .argument('<on|off>', 'new state')
    .argument('<id>', 'id of the session, or host:id')
    .action((position: string, id: string, _options: object, self: Command) =>
      onServer(self, async (steering) => {
        if (position !== 'on' && position !== 'off') {
          output.err('Expected on or off, then the session.\n');
          return 1;
        }
        const on = await steering.setCapture(id, position === 'on');
        output.out(on ? 'Capture enabled.\n' : 'Capture disabled: new events of the session are not stored.\n');
        return 0;
      }),
    );
}
