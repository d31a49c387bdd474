import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { holdsText } from '../../text/retention-text.ts';
import { RetentionApi } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';

const SUBJECTS = ['tenant', 'project', 'session', 'user'];

/** Adds `hold` with its subcommands. */
export function addHold(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('hold'), environment).description(
    'legal holds: what must not go, whatever a policy or a person says',
  );
  const run = async (self: Command, work: (api: RetentionApi) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, (_steering, client) => work(new RetentionApi(client))));

  withDataDir(command.command('add'), environment)
    .description('put a hold on the tenant, a project, a session or a user')
    .argument('<subject>', SUBJECTS.join(', '))
    .argument('[id]', 'of the subject; a tenant needs none')
    .requiredOption('--reason <text>', 'why')
    .action((subject: string, id: string | undefined, { reason }: { readonly reason: string }, self: Command) =>
      run(self, async (api) => {
        if (!SUBJECTS.includes(subject)) {
          output.err(`A hold is put on: ${SUBJECTS.join(', ')}.\n`);
          return 1;
        }
        const hold = await api.addHold(subject, id, reason);
        output.out(`Held until it is released: recollect hold release ${hold.id}\n`);
        return 0;
      }),
    );
  withDataDir(command.command('list'), environment)
    .description('list holds that stand')
    .option('--released', 'those that were released, too')
    .action(({ released }: { readonly released?: true }, self: Command) =>
      run(self, async (api) => {
        output.out(holdsText(await api.holds(released === true), Date.now()));
        return 0;
      }),
    );
  withDataDir(command.command('release'), environment)
    .description('release a hold')
    .argument('<id>', 'of the hold')
    .action((id: string, _options: object, self: Command) =>
      run(self, async (api) => {
        await api.releaseHold(id);
        output.out('Released. Policies need a new dry run before they delete anything.\n');
        return 0;
      }),
    );
}
