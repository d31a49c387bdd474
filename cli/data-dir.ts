import path from 'node:path';
import { type Command, Option } from 'commander';
import type { Environment } from '../config/process-environment.ts';
import { defaultDataDirectory } from '../infra/instance/cache-directory.ts';

/** Adds the option that every command has. */
export function withDataDir(command: Command, environment: Environment): Command {
  return command.addOption(
    new Option('--data-dir <folder>', 'where the instance keeps everything (RECOLLECT_DATA_DIR)')
      .default(defaultDataDirectory(environment))
      .argParser((folder) => path.resolve(folder)),
  );
}

/** Where the option stands for a subcommand: given behind it, else before it. */
export function dataDirOf(command: Command): string {
  const own = command.getOptionValueSource('dataDir') === 'default' ? command.parent : command;
  return String((own ?? command).getOptionValue('dataDir'));
}
