import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from '../config/process-environment.ts';
import { defaultDataDirectory } from '../infra/instance/layout.ts';

/** Adds the `--data-dir` option that every command has. */
export function withDataDir(command: Command, environment: Environment): Command {
  return command.addOption(
    new Option('--data-dir <folder>', 'data directory of the instance (RECOLLECT_DATA_DIR)')
      .default(defaultDataDirectory(environment))
      .argParser((folder) => path.resolve(folder)),
  );
}

/** Returns the data directory of a command: its own option if given, else its parent's. */
export function dataDirOf(command: Command): string {
  const inherited: unknown =
    command.getOptionValueSource('dataDir') === 'default' ? command.parent?.getOptionValue('dataDir') : undefined;
  return String(inherited ?? command.getOptionValue('dataDir'));
}

/** Returns a parser of an integer argument. @throws InvalidArgumentError outside the range */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`);
  };
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Returns true if a text has the form of a memory's hash or id; an eight-letter word can have it, too. */
export function isMemoryName(text: string): boolean {
  return /^[a-z2-7]{8}$/i.test(text) || isUuid(text);
}
