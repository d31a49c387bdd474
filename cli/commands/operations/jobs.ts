import type { Command } from 'commander';
import { Option } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { jobTable, stuckText } from '../../text/job-table.ts';
import { withServer } from '../../with-server.ts';
import { addSchedules } from './schedules.ts';

interface JobsOptions {
  readonly dataDir: string;
  readonly state: string;
  readonly kind?: string;
  readonly project?: string;
  readonly limit: string;
  readonly json?: boolean;
}

const STATES = ['running', 'waiting', 'stuck', 'failed', 'completed', 'cancelled', 'all'];
const KINDS = [
  'session',
  'learning',
  'index',
  'reindex',
  'batch',
  'import',
  'check',
  'backup',
  'restore',
  'retention',
  'erasure',
  'export',
  'operation',
];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A session's id stands for its job. */
function jobId(given: string): string {
  return UUID.test(given) ? `session.${given}` : given;
}

export function addJobs(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('jobs'), environment)
    .description('list what runs in the background, what waits, and what is stuck')
    .addOption(new Option('--state <state>', 'only these').choices(STATES).default('all'))
    .addOption(new Option('--kind <kind>', 'only these').choices(KINDS))
    .option('--project <project>', 'only of this project')
    .option('--limit <count>', 'how many, 100 at most', '20')
    .option('--json', 'for programs')
    .action(async ({ dataDir, json, ...filter }: JobsOptions) =>
      exit(
        await withServer(dataDir, context, async (steering) => {
          const { data, degraded } = await steering.jobs({ ...filter, limit: Number(filter.limit) });
          if (json === true) output.out(`${JSON.stringify(data)}\n`);
          else output.out(data.length === 0 ? 'No jobs.\n' : `${jobTable(data, Date.now())}${stuckText(data)}`);
          if (degraded.length > 0) output.err('Temporal does not answer: this is what the database knows.\n');
          return 0;
        }),
      ),
    );
  addSchedules(command, context, exit);
  for (const [name, description, done] of [
    ['retry', 'give a job another turn', 'is given another turn'],
    ['cancel', 'ask a job to end; the next event, or retry, starts it again', 'is asked to end'],
  ] as const) {
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<id>', 'of a job, or of a session')
      .action(async (id: string, _options: object, self: Command) =>
        exit(
          await withServer(dataDirOf(self), context, async (steering) => {
            const job = await steering.changeJob(jobId(id), name);
            output.out(`${job.id} ${done}.\n`);
            return 0;
          }),
        ),
      );
  }
}
