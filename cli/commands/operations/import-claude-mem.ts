import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { claudeMemFolder } from '../../../config/config.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { importDatabase } from '../../import/import-database.ts';
import { withImportServer } from '../../import/import-server.ts';
import type { ServerOptions } from '../../import/import-server.ts';

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

/** Adds `import claude-mem`. */
export function addClaudeMem(command: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(command.command('claude-mem'), context.environment)
    .description('import the database of claude-mem, each row once')
    .argument('[path]', `${DATABASE} or its folder (default: of this user)`)
    .option('--dry-run', 'report what would be imported and write nothing')
    .option('--server <url>', 'send the rows to this server')
    .option('--api-key-file <file>', 'file with an API key of that server, - for stdin')
    .option('--allow-plain-http', 'allow sending the key over plain HTTP to another machine')
    .action(async (given: string | undefined, options: ClaudeMemOptions) =>
      exit(await claudeMem(path.resolve(given ?? claudeMemFolder()), options, context)),
    );
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
