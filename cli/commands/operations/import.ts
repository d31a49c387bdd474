import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { transcriptFolder } from '../../../config/config.ts';
import { defaultDataDirectory } from '../../../infra/instance/cache-directory.ts';
import { importFile } from './export.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { showDatabaseEnd } from '../../import/import-database.ts';
import { withImportServer } from '../../import/import-server.ts';
import { importTranscripts, showEnd } from '../../import/import-transcripts.ts';
import { addClaudeMem } from './import-claude-mem.ts';

interface ImportOptions {
  readonly dataDir: string;
  readonly follow?: true;
}

/** Adds `import` with its subcommands. */
export function addImport(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const command = program.command('import').description('bring in what happened before, or without, the hooks');
  const { environment } = context;
  withDataDir(command.command('file').argument('<file>'), environment)
    .description('take in the export of another instance; of this user’s instance also without the word file')
    .action(async (file: string, { dataDir }: ImportOptions) => exit(await importFile(file, dataDir, context)));
  command.argument('[file]', 'an export of another instance').action(async (file: string | undefined) => {
    if (file === undefined) command.help();
    else exit(await importFile(file, defaultDataDirectory(environment), context));
  });
  withDataDir(command.command('transcripts'), environment)
    .description('read the transcripts of Claude Code and store what hooks missed')
    .argument('[folder]', 'default: the transcripts of this user')
    .option('--follow', 'go on with what is written later')
    .action(async (folder: string | undefined, options: ImportOptions) =>
      exit(await transcripts(folder, options, context)),
    );
  addClaudeMem(command, context, exit);
  withDataDir(command.command('status').argument('<id>'), environment)
    .description('show how far an import is')
    .action(async (id: string, options: ImportOptions) =>
      exit(
        await withImportServer(options, context, async (api) => {
          const job = await api.look(id);
          return job.tables === null ? showEnd(job, context) : showDatabaseEnd(job, context);
        }),
      ),
    );
  withDataDir(command.command('cancel').argument('<id>'), environment)
    .description('stop an import; what was read stays')
    .action(async (id: string, options: ImportOptions) =>
      exit(
        await withImportServer(options, context, async (api) => {
          await api.cancel(id);
          context.output.out('The import stops; what was read stays.\n');
          return 0;
        }),
      ),
    );
}

async function transcripts(
  given: string | undefined,
  options: ImportOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const folder = given === undefined ? transcriptFolder(context.environment['CLAUDE_CONFIG_DIR']) : path.resolve(given);
  const follow = options.follow === true;
  return withImportServer(options, context, async (api, { isRemote }, signal) => {
    // A machine on which no session was run yet: its folder is waited for.
    const isNeeded = !(follow && isRemote);
    if (isNeeded && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      context.output.err(`There is no folder ${folder}.\n`);
      return 1;
    }
    return importTranscripts({ api, folder, follow, isRemote, signal }, context);
  });
}
