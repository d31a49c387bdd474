import type { Command } from 'commander';
import { Option } from 'commander';
import { JOB_FILTERS, jobAnswer, jobsAnswer } from '../../../contract/jobs.ts';
import { JOB_KINDS } from '../../../domain/jobs.ts';
import type { Cli } from '../../cli.ts';
import { isUuid } from '../../options.ts';
import { path } from '../../server/server-client.ts';
import { jobTable, stuckText } from '../../text/job-table.ts';

interface JobsOptions {
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

export function addJobs(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli
    .command(program, 'jobs', 'list background jobs')
    .addOption(
      new Option('--state <state>', 'filter by state; failed includes terminated').choices(JOB_FILTERS).default('all'),
    )
    .addOption(new Option('--kind <kind>', 'filter by kind').choices(JOB_KINDS))
    .option('--project <project>', 'filter by project')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { state, kind, project, limit, json }: JobsOptions) => {
        const query = { state, kind, project, limit: Number(limit) };
        const { data, degraded } = await server.get('/jobs', jobsAnswer, query);
        const text = data.length === 0 ? 'No jobs.\n' : `${jobTable(data, Date.now())}${stuckText(data)}`;
        cli.print(json, data, text);
        if (degraded.length > 0) output.err('Temporal is unavailable: the list comes from the database alone.\n');
      }),
    );
  for (const [name, description, done] of [
    ['retry', 'retry a job', 'retried'],
    ['cancel', 'cancel a job; the next event or a retry starts it again', 'cancellation requested'],
  ] as const) {
    cli
      .command(command, name, description)
      .argument('<id>', 'id of a job or a session')
      .action(
        cli.onServer(async (server, id: string) => {
          const { job } = await server.post(path`/jobs/${jobId(id)}/${name}`, jobAnswer);
          output.out(`${job.id}: ${done}.\n`);
        }),
      );
  }
}
