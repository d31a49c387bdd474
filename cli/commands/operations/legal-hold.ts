import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { legalHoldsText } from '../../text/retention-text.ts';
import { RetentionApi } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';

const SUBJECTS = ['tenant', 'project', 'session', 'user'];

/** Adds `legal-hold` with its subcommands. */
export function addLegalHold(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('legal-hold'), environment).description(
    'add, list and release legal holds',
  );
  const run = async (self: Command, work: (api: RetentionApi) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, (_steering, client) => work(new RetentionApi(client))));

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
