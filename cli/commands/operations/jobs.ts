import type { Command } from 'commander';
import { Option } from 'commander';
import { JOB_FILTERS } from '../../../contract/jobs.ts';
import { JOB_KINDS } from '../../../domain/jobs.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, isUuid, withDataDir } from '../../options.ts';
import { jobTable, stuckText } from '../../text/job-table.ts';
import { withServer } from '../../with-server.ts';

interface JobsOptions {
  readonly dataDir: string;
  readonly state: string;
  readonly kind?: string;
  readonly project?: string;
  readonly limit: string;
  readonly json?: boolean;
}

/** Returns the job id of a session id; other ids unchanged. */
function jobId(given: string): string {
  return isUuid(given) ? `session.${given}` : given;
}

export function addJobs(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('jobs'), environment)
    .description('list background jobs')
    .addOption(
      new Option('--state <state>', 'filter by state; failed includes terminated').choices(JOB_FILTERS).default('all'),
    )
    .addOption(new Option('--kind <kind>', 'filter by kind').choices(JOB_KINDS))
    .option('--project <project>', 'filter by project')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(async ({ dataDir, json, ...filter }: JobsOptions) =>
      exit(
        await withServer(dataDir, context, async (steering) => {
          const { data, degraded } = await steering.jobs({ ...filter, limit: Number(filter.limit) });
          if (json === true) output.out(`${JSON.stringify(data)}\n`);
          else output.out(data.length === 0 ? 'No jobs.\n' : `${jobTable(data, Date.now())}${stuckText(data)}`);
          if (degraded.length > 0) output.err('Temporal is unavailable: the list comes from the database alone.\n');
          return 0;
        }),
      ),
    );
  for (const [name, description, done] of [
    ['retry', 'retry a job', 'retried'],
    ['cancel', 'cancel a job; the next event or a retry starts it again', 'cancellation requested'],
  ] as const) {
    withDataDir(command.command(name), environment)
      .description(description)
      .argument('<id>', 'id of a job or a session')
      .action(async (id: string, _options: object, self: Command) =>
        exit(
          await withServer(dataDirOf(self), context, async (steering) => {
            const job = await steering.changeJob(jobId(id), name);
            output.out(`${job.id}: ${done}.\n`);
            return 0;
          }),
        ),
      );
  }
}
