import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { claudeMemFolder } from '../../../config/config.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../data-dir.ts';
import { importDatabase } from '../../import/import-database.ts';
import { withImportServer } from '../../import/import-server.ts';
import type { ServerOptions } from '../../import/import-server.ts';

interface ClaudeMemOptions extends ServerOptions {
  readonly dryRun?: true;
}

const DATABASE = 'claude-mem.db';

/** The file that is meant: a folder's database, or the file itself; null where there is none. */
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
    .description('take in what claude-mem remembers, each row once')
    .argument('[path]', `a ${DATABASE}, or the folder that it lies in; default: that of this user`)
    .option('--dry-run', 'tell what would come, and what would not and why; write nothing')
    .option('--server <url>', 'send the rows to this server')
    .option('--api-key-file <file>', 'a key for that server, - for stdin')
    .option('--allow-plain-http', 'send the key over plain http to another machine')
    .action(async (given: string | undefined, options: ClaudeMemOptions) =>
      exit(await claudeMem(path.resolve(given ?? claudeMemFolder()), options, context)),
    );
}

async function claudeMem(given: string, options: ClaudeMemOptions, context: CommandContext): Promise<ExitCode> {
  const file = databaseOf(given);
  if (file === null) {
    context.output.err(`There is no ${DATABASE} at ${given}.\n`);
    return 1;
  }
  return withImportServer(options, context, (api, { isRemote }, signal) =>
    importDatabase({ api, file, dryRun: options.dryRun === true, isRemote, signal }, context),
  );
}
