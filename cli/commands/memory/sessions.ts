import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Steering } from '../../server/steering.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { sessionTable, stuckText } from '../../text/job-table.ts';
import { withServer } from '../../with-server.ts';

interface SessionsOptions {
  readonly dataDir: string;
  readonly stuck?: boolean;
  readonly project?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** A summary or an end is waited for so long; it goes on beyond that. */
const DEFAULT_WAIT_SECONDS = 60;

function parseWait(value: string): number {
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= 60) return seconds;
  throw new InvalidArgumentError('It is a number of seconds, 60 at most.');
}

export function addSessions(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('sessions'), environment)
    .description('list sessions, the newest first: where each stands and what it waits for')
    .option('--stuck', 'only those that do not get on, and why')
    .option('--project <project>', 'only of this project: its id, git remote, folder or name')
    .option('--limit <count>', 'how many, 100 at most', '20')
    .option('--json', 'for programs')
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
          else if (data.length === 0) output.out(options.stuck === true ? 'Nothing is stuck.\n' : 'No sessions yet.\n');
          else output.out(`${sessionTable(data, Date.now())}${stuckText(data)}`);
          if (degraded.length > 0) output.err('Temporal does not answer: this is what the database knows.\n');
          return 0;
        }),
      ),
    );

  const subcommand = (name: string, description: string): Command =>
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<id>', 'of the session: its own, or host:id of its host');
  const onServer = async (self: Command, work: (steering: Steering) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, work));

  for (const [name, what, description] of [
    ['summarise', 'summaries', 'sum a session up now, without ending it'],
    ['close', 'close', 'end a session: sum up, learn, index'],
  ] as const) {
    subcommand(name, description)
      .option('--wait <seconds>', 'how long to wait for it', parseWait, DEFAULT_WAIT_SECONDS)
      .action((id: string, options: { readonly wait: number }, self: Command) =>
        onServer(self, async (steering) => {
          const order = await steering.order(id, what, options.wait);
          if (!order.done) output.out(`It goes on; recollect jobs shows how far ${order.job.id} is.\n`);
          else if (order.settled) output.out('The session is settled.\n');
          else if (order.summary_id !== null) output.out(`Summed up: ${order.summary_id}\n`);
          else
            output.out(
              `There is no summary${order.last_error === null ? ': nothing to sum up' : ` (${order.last_error})`}.\n`,
            );
          return order.done && order.last_error !== null ? 1 : 0;
        }),
      );
  }

  withDataDir(command.command('capture'), environment)
    .description('switch the capture of a session on or off')
    .argument('<on|off>', 'what to do')
    .argument('<id>', 'of the session: its own, or host:id of its host')
    .action((position: string, id: string, _options: object, self: Command) =>
      onServer(self, async (steering) => {
        if (position !== 'on' && position !== 'off') {
          output.err('Say on or off, then the session.\n');
          return 1;
        }
        const on = await steering.setCapture(id, position === 'on');
        output.out(on ? 'The session is captured.\n' : 'What the session says from now on is not stored.\n');
        return 0;
      }),
    );
}
