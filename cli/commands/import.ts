import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { transcriptFolder } from '../../config/config.ts';
import type { CommandContext, ExitCode } from '../command-context.ts';
import { withDataDir } from '../data-dir.ts';
import { ImportApi, ImportApiError } from '../import/import-api.ts';
import { importTranscripts, showEnd } from '../import/import-transcripts.ts';
import { InstallError } from '../install/install-error.ts';
import { knownAccess } from '../install/server-access.ts';
import type { ServerAccess } from '../install/server-access.ts';
import { listenForInterrupts } from '../interrupts.ts';

interface ImportOptions {
  readonly dataDir: string;
  readonly follow?: true;
}

/** Adds `import` with its subcommands. */
export function addImport(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const command = program.command('import').description('bring in what happened before, or without, the hooks');
  const { environment } = context;
  withDataDir(command.command('transcripts'), environment)
    .description('read the transcripts of Claude Code and store what hooks missed')
    .argument('[folder]', 'default: the transcripts of this user')
    .option('--follow', 'go on with what is written later')
    .action(async (folder: string | undefined, options: ImportOptions) =>
      exit(await transcripts(folder, options, context)),
    );
  withDataDir(command.command('status').argument('<id>'), environment)
    .description('show how far an import is')
    .action(async (id: string, options: ImportOptions) =>
      exit(await withServer(options, context, async (api) => showEnd(await api.look(id), context))),
    );
  withDataDir(command.command('cancel').argument('<id>'), environment)
    .description('stop an import; what was read stays')
    .action(async (id: string, options: ImportOptions) =>
      exit(
        await withServer(options, context, async (api) => {
          await api.cancel(id);
          context.output.out('The import stops; what was read stays.\n');
          return 0;
        }),
      ),
    );
}

/** The server of the environment, else what was installed, else the instance of the data directory. @throws InstallError */
function accessOf({ dataDir }: ImportOptions, { environment }: CommandContext): ServerAccess {
  const url = environment['RECOLLECT_URL'];
  const apiKey = environment['RECOLLECT_API_KEY'];
  if (url && apiKey) return { url: url.replace(/\/$/, ''), apiKey, isRemote: true };
  return knownAccess(dataDir);
}

/** Runs a command against the server; says what is wrong where it cannot be asked. */
async function withServer(
  options: ImportOptions,
  context: CommandContext,
  work: (api: ImportApi, access: ServerAccess, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { err } = context.output;
  const interrupts = listenForInterrupts(() => process.exit(130));
  try {
    const access = accessOf(options, context);
    return await work(new ImportApi(access, interrupts.signal), access, interrupts.signal);
  } catch (error) {
    if (error instanceof InstallError) {
      err(`${error.message}\n`);
      return 3;
    }
    if (!(error instanceof ImportApiError)) throw error;
    if (error.code === 'STOPPED') return 130;
    err(`${error.message}.\n`);
    return error.code === 'UNREACHABLE' ? 3 : 1;
  } finally {
    interrupts.dispose();
  }
}

async function transcripts(
  given: string | undefined,
  options: ImportOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const folder = given === undefined ? transcriptFolder(context.environment['CLAUDE_CONFIG_DIR']) : path.resolve(given);
  const follow = options.follow === true;
  return withServer(options, context, async (api, { isRemote }, signal) => {
    // A machine on which no session was run yet: its folder is waited for.
    const isNeeded = !(follow && isRemote);
    if (isNeeded && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      context.output.err(`There is no folder ${folder}.\n`);
      return 1;
    }
    return importTranscripts({ api, folder, follow, isRemote, signal }, context);
  });
}
