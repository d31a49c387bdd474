import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, integer, withDataDir } from '../../options.ts';
import { policiesText, reportText, runsText, archivesText, legalHoldsText } from '../../text/retention-text.ts';
import { RetentionApi } from '../../server/operations.ts';
import type { Policy } from '../../server/operations.ts';
import { DATA_CLASSES, MAX_AGE_DAYS, RETAINED, RETENTION_ACTIONS } from '../../../domain/retention/policy.ts';
import type { DataClass, Retained, RetentionAction } from '../../../domain/retention/policy.ts';
import { untilEnded } from '../../waiting.ts';
import { withServer } from '../../with-server.ts';

interface SetOptions {
  readonly project?: string;
  readonly class?: DataClass;
  readonly remove?: true;
}

function isSamePlace(a: Omit<Policy, 'id'>, b: Omit<Policy, 'id'>): boolean {
  return a.resource === b.resource && a.project === b.project && a.data_class === b.data_class;
}

/** Returns the action of a subcommand: it works with the retention routes and exits with the code of its work. */
const onRetentionRoutes =
  (context: CommandContext, exit: (code: ExitCode) => void) =>
  async (self: Command, work: (api: RetentionApi) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, (_steering, client) => work(new RetentionApi(client))));

/** Adds `retention` with its subcommands. */
export function addRetention(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('retention'), environment).description(
    'list, approve and run retention policies',
  );
  const add = (name: string, description: string): Command =>
    withDataDir(command.command(name), environment).description(description);
  const run = onRetentionRoutes(context, exit);

  /** Starts a run and waits for its report. */
  const follow = async (api: RetentionApi, dryRun: boolean): Promise<ExitCode> => {
    const { id } = await api.start(dryRun);
    const { run: ended, counts } = await untilEnded(
      () => api.report(id),
      (report) => report.run.state,
    );
    output.out(reportText(ended, counts));
    if (dryRun && ended.state === 'completed') output.out(`To apply it: recollect retention approve ${id}\n`);
    return ended.state === 'completed' ? 0 : 1;
  };

  add('policies', 'list the policies').action((_options: object, self: Command) =>
    run(self, async (api) => {
      output.out(policiesText(await api.policies()));
      return 0;
    }),
  );
  add('set', 'set a policy; it takes effect once a dry run is approved')
    .addArgument(new Argument('<kind>').choices(RETAINED))
    .addArgument(new Argument('<action>').choices(RETENTION_ACTIONS))
    .argument('[age]', 'days, as 90 or 90d', (age: string) => integer(1, MAX_AGE_DAYS)(age.replace(/d$/, '')))
    .option('--project <id>', 'limit the policy to a project')
    .addOption(new Option('--class <class>', 'limit the policy to a data class').choices(DATA_CLASSES))
    .option('--remove', 'remove the policy')
    .action((kind: Retained, action: RetentionAction, age: number | undefined, options: SetOptions, self: Command) =>
      run(self, async (api) => {
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
        const now = await api.policies();
        const others = now.data.filter((rule) => !isSamePlace(rule, given));
        const next = [...others, ...(options.remove === true ? [] : [given])];
        const bare = next.map(({ resource, project, data_class, age_days, action }) => ({
          resource,
          project,
          data_class,
          age_days,
          action,
        }));
        output.out(policiesText(await api.setPolicies(bare, now.hash)));
        return 0;
      }),
    );
  add('dry-run', 'count affected rows by policy and delete nothing').action((_options: object, self: Command) =>
    run(self, (api) => follow(api, true)),
  );
  add('run', 'apply the approved policies now; the schedule does so daily').action((_options: object, self: Command) =>
    run(self, (api) => follow(api, false)),
  );
  add('approve', 'approve the policies of a dry run')
    .argument('<run>', 'id of a dry run')
    .action((id: string, _options: object, self: Command) =>
      run(self, async (api) => {
        await api.approve(id);
        output.out('Approved: the next run applies it.\n');
        return 0;
      }),
    );
  add('runs', 'list runs and dry runs, or show the report of one')
    .argument('[run]', 'id of a run')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .action((id: string | undefined, options: { readonly limit: string }, self: Command) =>
      run(self, async (api) => {
        if (id === undefined) output.out(runsText(await api.runs(Number(options.limit)), Date.now()));
        else {
          const report = await api.report(id);
          output.out(reportText(report.run, report.counts));
        }
        return 0;
      }),
    );
}

/** Adds `archive` with its subcommands. */
export function addArchive(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('archive'), environment).description(
    'list and restore archived sessions',
  );
  const run = onRetentionRoutes(context, exit);

  withDataDir(command.command('list'), environment)
    .description('list archived sessions, or search their titles and summaries')
    .argument('[words...]')
    .option('--limit <count>', 'maximum number of rows, up to 100', '20')
    .action((words: readonly string[], { limit }: { readonly limit: string }, self: Command) =>
      run(self, async (api) => {
        const q = words.length === 0 ? undefined : words.join(' ');
        output.out(archivesText(await api.archives(q, Number(limit)), Date.now()));
        return 0;
      }),
    );
  withDataDir(command.command('restore'), environment)
    .description('restore an archived session')
    .argument('<id>', 'id of the archive or of its session')
    .action((id: string, _options: object, self: Command) =>
      run(self, async (api) => {
        output.out(`Restore started: ${await api.restore(id)}. See recollect jobs.\n`);
        return 0;
      }),
    );
}

const SUBJECTS = ['tenant', 'project', 'session', 'user'];

/** Adds `legal-hold` with its subcommands. */
export function addLegalHold(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('legal-hold'), environment).description(
    'add, list and release legal holds',
  );
  const run = onRetentionRoutes(context, exit);

  withDataDir(command.command('add'), environment)
    .description('add a legal hold on the tenant, a project, a session or a user')
    .argument('<subject>', SUBJECTS.join(', '))
    .argument('[id]', 'id of the subject; none for the tenant')
    .requiredOption('--reason <text>', 'reason of the hold')
    .action((subject: string, id: string | undefined, { reason }: { readonly reason: string }, self: Command) =>
      run(self, async (api) => {
        if (!SUBJECTS.includes(subject)) {
          output.err(`Unknown subject. Expected one of ${SUBJECTS.join(', ')}.\n`);
          return 1;
        }
        const hold = await api.addHold(subject, id, reason);
        output.out(`Legal hold added. Release it with recollect legal-hold release ${hold.id}\n`);
        return 0;
      }),
    );
  withDataDir(command.command('list'), environment)
    .description('list active legal holds')
    .option('--released', 'include released legal holds')
    .action(({ released }: { readonly released?: true }, self: Command) =>
      run(self, async (api) => {
        output.out(legalHoldsText(await api.legalHolds(released === true), Date.now()));
        return 0;
      }),
    );
  withDataDir(command.command('release'), environment)
    .description('release a legal hold')
    .argument('<id>', 'id of the hold')
    .action((id: string, _options: object, self: Command) =>
      run(self, async (api) => {
        await api.releaseHold(id);
        output.out('Released. Policies need a new dry run before they delete anything.\n');
        return 0;
      }),
    );
}
