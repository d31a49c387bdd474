import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import {
  archiveRestore,
  archiveSchema,
  holdSchema,
  policiesSchema,
  runAnswer,
  runReport,
  runSchema,
} from '../../../contract/retention.ts';
import type { Policy } from '../../../contract/retention.ts';
import { dataOf } from '../../../contract/shared.ts';
import { DATA_CLASSES } from '../../../domain/data-classes.ts';
import type { DataClass } from '../../../domain/data-classes.ts';
import { MAX_AGE_DAYS, RETAINED, RETENTION_ACTIONS } from '../../../domain/retention/policy.ts';
import type { Retained, RetentionAction } from '../../../domain/retention/policy.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { integer } from '../../options.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { policiesText, reportText, runsText, archivesText, legalHoldsText } from '../../text/retention-text.ts';
import { untilEnded } from '../../waiting.ts';

const POLICIES = '/admin/retention/policies';
const RUNS = '/admin/retention/runs';

interface SetOptions {
  readonly project?: string;
  readonly class?: DataClass;
  readonly remove?: true;
}

function isSamePlace(a: Omit<Policy, 'id'>, b: Omit<Policy, 'id'>): boolean {
  return a.resource === b.resource && a.project === b.project && a.data_class === b.data_class;
}

/** Adds `retention` with its subcommands. */
export function addRetention(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'retention', 'list, approve and run retention policies');

  /** Starts a run, waits for its end and prints its report. */
  const follow = async (server: ServerClient, dryRun: boolean): Promise<ExitCode> => {
    const { id } = (await server.post('/admin/retention', runAnswer, { dry_run: dryRun })).run;
    const { run, counts } = await untilEnded(
      () => server.get(path`/admin/retention/runs/${id}`, runReport),
      (report) => report.run.state,
    );
    output.out(reportText(run, counts));
    if (dryRun && run.state === 'completed') output.out(`To apply it: recollect retention approve ${id}\n`);
    return run.state === 'completed' ? 0 : 1;
  };

  cli
    .command(command, 'policies', 'list the policies')
    .action(cli.onServer(async (server) => output.out(policiesText(await server.get(POLICIES, policiesSchema)))));
  cli
    .command(command, 'set', 'set a policy; it takes effect once a dry run is approved')
    .addArgument(new Argument('<kind>').choices(RETAINED))
    .addArgument(new Argument('<action>').choices(RETENTION_ACTIONS))
    .argument('[age]', 'days, as 90 or 90d', (age: string) => integer(1, MAX_AGE_DAYS)(age.replace(/d$/, '')))
    .option('--project <id>', 'limit the policy to a project')
    .addOption(new Option('--class <class>', 'limit the policy to a data class').choices(DATA_CLASSES))
    .option('--remove', 'remove the policy')
    .action(
      cli.onServer(
        async (server, kind: Retained, action: RetentionAction, age: number | undefined, options: SetOptions) => {
          if (age === undefined && options.remove !== true && action !== 'keep') {
            output.err('Missing age: give a number of days.\n');
            return 1;
          }
          const given = {
            resource: kind,
            action,
            project: options.project ?? null,
            data_class: options.class ?? null,
            age_days: age ?? MAX_AGE_DAYS,
          };
          const { data, hash } = await server.get(POLICIES, policiesSchema);
          const others = data.filter((rule) => !isSamePlace(rule, given)).map(({ id: _id, ...rule }) => rule);
          // The server rejects the hash if the policies have changed since.
          const body = { policies: [...others, ...(options.remove === true ? [] : [given])], hash };
          output.out(policiesText(await server.request('PUT', POLICIES, policiesSchema, { body })));
          return 0;
        },
      ),
    );
  cli
    .command(command, 'dry-run', 'count affected rows by policy and delete nothing')
    .action(cli.onServer((server) => follow(server, true)));
  cli
    .command(command, 'run', 'apply the approved policies now; the schedule does so daily')
    .action(cli.onServer((server) => follow(server, false)));
  cli
    .command(command, 'approve', 'approve the policies of a dry run')
    .argument('<run>', 'id of a dry run')
    .action(
      cli.onServer(async (server, id: string) => {
        await server.post(path`/admin/retention/runs/${id}/approve`, runAnswer);
        output.out('Approved: the next run applies it.\n');
      }),
    );
  cli
    .command(command, 'runs', 'list runs and dry runs, or show the report of one')
    .argument('[run]', 'id of a run')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .action(
      cli.onServer(async (server, id: string | undefined, { limit }: { readonly limit: string }) => {
        if (id === undefined) {
          const { data } = await server.get(RUNS, dataOf(runSchema), { limit: Number(limit) });
          output.out(runsText(data, Date.now()));
        } else {
          const { run, counts } = await server.get(path`/admin/retention/runs/${id}`, runReport);
          output.out(reportText(run, counts));
        }
      }),
    );
}

/** Adds `archive` with its subcommands. */
export function addArchive(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'archive', 'list and restore archived sessions');

  cli
    .command(command, 'list', 'list archived sessions, or search their titles and summaries')
    .argument('[words...]')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .action(
      cli.onServer(async (server, words: readonly string[], { limit }: { readonly limit: string }) => {
        const query = { q: words.length === 0 ? undefined : words.join(' '), limit: Number(limit) };
        const { data } = await server.get('/archives', dataOf(archiveSchema), query);
        output.out(archivesText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'restore', 'restore an archived session')
    .argument('<id>', 'id of the archive or of its session')
    .action(
      cli.onServer(async (server, id: string) => {
        const { job_id: job } = await server.post(path`/archives/${id}/restore`, archiveRestore);
        output.out(`Restore started: ${job}. See recollect jobs.\n`);
      }),
    );
}

const SUBJECTS = ['tenant', 'project', 'session', 'user'];

/** Adds `legal-hold` with its subcommands. */
export function addLegalHold(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'legal-hold', 'add, list and release legal holds');

  cli
    .command(command, 'add', 'add a legal hold on the tenant, a project, a session or a user')
    .argument('<subject>', SUBJECTS.join(', '))
    .argument('[id]', 'id of the subject; none for the tenant')
    .requiredOption('--reason <text>', 'reason of the hold')
    .action(
      cli.onServer(async (server, subject: string, id: string | undefined, { reason }: { readonly reason: string }) => {
        if (!SUBJECTS.includes(subject)) {
          output.err(`Unknown subject. Expected one of ${SUBJECTS.join(', ')}.\n`);
          return 1;
        }
        const hold = await server.post('/admin/legal-holds', holdSchema, { subject, id, reason });
        output.out(`Legal hold added. Release it with recollect legal-hold release ${hold.id}\n`);
        return 0;
      }),
    );
  cli
    .command(command, 'list', 'list active legal holds')
    .option('--released', 'include released legal holds')
    .action(
      cli.onServer(async (server, { released = false }: { readonly released?: boolean }) => {
        const { data } = await server.get('/admin/legal-holds', dataOf(holdSchema), { released });
        output.out(legalHoldsText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'release', 'release a legal hold')
    .argument('<id>', 'id of the hold')
    .action(
      cli.onServer(async (server, id: string) => {
        await server.request('DELETE', path`/admin/legal-holds/${id}`, holdSchema);
        output.out('Released. Policies need a new dry run before they delete anything.\n');
      }),
    );
}
