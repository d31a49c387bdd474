import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { z } from 'zod';
import { importSchema } from '../../../contract/imports.ts';
import { newestOf } from '../../../contract/shared.ts';
import { transcriptFolder, claudeMemFolder } from '../../../config/config.ts';
import { importFile } from './export.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { showDatabaseEnd, importDatabase } from '../../import/import-database.ts';
import { importTranscripts, showEnd } from '../../import/import-transcripts.ts';
import { knownAccess, readKey, serverAddress } from '../../install/server-access.ts';
import type { ServerAccess } from '../../install/server-access.ts';
import { table } from '../../output.ts';
import { failureText, isUnavailable } from '../../text/failure-text.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { minuteOf } from '../../text/text-layout.ts';
import { withDataDir } from '../../options.ts';
import { interruptible } from '../../waiting.ts';
import { RecollectError } from '../../../client/index.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { ImportApi } from '../../import/import-api.ts';
import { InstallError } from '../../install/install-error.ts';

/** Options that choose the server. */
interface ServerOptions {
  readonly dataDir: string;
  readonly server?: string;
  readonly apiKeyFile?: string;
  readonly allowPlainHttp?: true;
}

/** Returns the server of the options, the environment, `client.json` or the local instance, in this order. @throws InstallError */
function accessOf(options: ServerOptions, { environment }: CommandContext): ServerAccess {
  const { dataDir, server, apiKeyFile } = options;
  if (server !== undefined) {
    const address = serverAddress(server, options.allowPlainHttp === true);
    if (apiKeyFile === undefined) throw new InstallError('bad-key', '--server requires --api-key-file FILE.');
    return { url: address, apiKey: readKey(apiKeyFile), isRemote: true };
  }
  const url = environment['RECOLLECT_URL'];
  const apiKey = environment['RECOLLECT_API_KEY'];
  if (url && apiKey) return { url: url.replace(/\/$/, ''), apiKey, isRemote: true };
  return knownAccess(dataDir);
}

/** Runs a command against the server; prints failures. */
function withImportServer(
  options: ServerOptions,
  context: CommandContext,
  work: (api: ImportApi, access: ServerAccess, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { err } = context.output;
  return interruptible(async (signal) => {
    let access: ServerAccess | undefined;
    try {
      access = accessOf(options, context);
      return await work(new ImportApi(access, signal), access, signal);
    } catch (error) {
      if (error instanceof InstallError) {
        err(`${error.message}\n`);
        return 3;
      }
      if (!(error instanceof RecollectError)) throw error;
      if (error.code === 'ABORTED') return 130;
      err(failureText(error, { command: undefined, dataDir: options.dataDir, isElsewhere: access?.isRemote === true }));
      return isUnavailable(error) ? 3 : 1;
    }
  });
}

interface ClaudeMemOptions extends ServerOptions {
  readonly dryRun?: true;
}

const DATABASE = 'claude-mem.db';

/** Returns the database file at a path, which is the file or its folder; null if absent. */
function databaseOf(given: string): string | null {
  const found = statSync(given, { throwIfNoEntry: false });
  if (found?.isFile() === true) return given;
  const inside = path.join(given, DATABASE);
  return found?.isDirectory() === true && statSync(inside, { throwIfNoEntry: false })?.isFile() === true
    ? inside
    : null;
}

async function claudeMem(given: string, options: ClaudeMemOptions, context: CommandContext): Promise<ExitCode> {
  const file = databaseOf(given);
  if (file === null) {
    context.output.err(`No ${DATABASE} found at ${given}.\n`);
    return 1;
  }
  return withImportServer(options, context, (api, { isRemote }, signal) =>
    importDatabase({ api, file, dryRun: options.dryRun === true, isRemote, signal }, context),
  );
}

interface ImportOptions {
  readonly dataDir: string;
  readonly follow?: true;
}

/** Adds `import` with its subcommands. */
function importsText(imports: readonly z.output<typeof importSchema>[]): string {
  if (imports.length === 0) return 'No imports.\n';
  const rows = imports.map(({ id, kind, state, created_at: at, directory }) => [
    id,
    kind,
    state,
    minuteOf(at),
    terminalText(directory),
  ]);
  return table([['IMPORT', 'KIND', 'STATE', 'STARTED (UTC)', 'SOURCE'], ...rows]);
}

export function addImport(program: Command, cli: Cli): void {
  const command = program.command('import').description('import transcripts, claude-mem databases and export files');
  const importOne = cli.onServer((server: ServerClient, file: string, _self: Command) => importFile(server, file, cli));
  withDataDir(command.command('file', { isDefault: true }), cli.environment)
    .description('import an export file; `recollect import FILE` does the same')
    .argument('[file]')
    .action((file: string | undefined, _options: object, self: Command) =>
      file === undefined ? command.help({ error: true }) : importOne(file, self),
    );
  cli
    .command(command, 'transcripts', 'import events that hooks missed from transcripts of Claude Code')
    .argument('[folder]', 'transcript folder (default: of this user)')
    .option('--follow', 'keep importing new lines')
    .action(async (folder: string | undefined, options: ImportOptions) =>
      cli.exit(await transcripts(folder, options, cli)),
    );
  cli
    .command(command, 'claude-mem', 'import the database of claude-mem, each row once')
    .argument('[path]', `${DATABASE} or its folder (default: of this user)`)
    .option('--dry-run', 'report what would be imported and write nothing')
    .option('--server <url>', 'send the rows to this server')
    .option('--api-key-file <file>', 'file with an API key of that server, - for stdin')
    .option('--allow-plain-http', 'allow sending the key over plain HTTP to another machine')
    .action(async (given: string | undefined, options: ClaudeMemOptions) =>
      cli.exit(await claudeMem(path.resolve(given ?? claudeMemFolder()), options, cli)),
    );
  cli
    .command(command, 'list', 'list the newest imports of transcripts and claude-mem databases')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: true }) => {
        const { data } = await server.get('/imports', newestOf(importSchema));
        cli.print(json, data, importsText(data));
      }),
    );
  cli
    .command(command, 'status', 'show the progress of an import')
    .argument('<id>')
    .action(async (id: string, options: ImportOptions) =>
      cli.exit(
        await withImportServer(options, cli, async (api) => {
          const job = await api.show(id);
          return job.tables === null ? showEnd(job, cli) : showDatabaseEnd(job, cli);
        }),
      ),
    );
  cli
    .command(command, 'cancel', 'cancel an import; imported rows remain')
    .argument('<id>')
    .action(async (id: string, options: ImportOptions) =>
      cli.exit(
        await withImportServer(options, cli, async (api) => {
          await api.cancel(id);
          cli.output.out('Import cancelled; imported rows remain.\n');
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
    // The folder does not exist before the machine's first session.
    const isNeeded = !(follow && isRemote);
    if (isNeeded && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      context.output.err(`Folder ${folder} not found.\n`);
      return 1;
    }
    return importTranscripts({ api, folder, follow, isRemote, signal }, context);
  });
}
