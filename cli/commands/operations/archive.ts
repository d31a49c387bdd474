import type { Command } from 'commander';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { archivesText } from '../../text/retention-text.ts';
import { RetentionApi } from '../../server/operations.ts';
import { withServer } from '../../with-server.ts';

/** Adds `archive` with its subcommands. */
export function addArchive(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('archive'), environment).description(
    'list and restore archived sessions',
  );
  const run = async (self: Command, work: (api: RetentionApi) => Promise<ExitCode>): Promise<void> =>
    exit(await withServer(dataDirOf(self), context, (_steering, client) => work(new RetentionApi(client))));

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
