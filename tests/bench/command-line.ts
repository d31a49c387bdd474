import path from 'node:path';
import { parseArgs } from 'node:util';

/** Prints a line of progress to stderr. */
export const say = (text: string) => process.stderr.write(`${text}\n`);

/** Returns the value of an option of the command line. */
export function option(name: string): string | undefined {
  const { values } = parseArgs({ options: { [name]: { type: 'string' } }, strict: false });
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** Returns the parts that `--only a,b` selects, in the order of `names`; all without it. @throws Error for an unknown part */
export function selected<Name extends string>(names: readonly Name[]): readonly Name[] {
  const wanted: readonly string[] = option('only')?.split(',') ?? names;
  const unknown = wanted.filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}; there are ${names.join(', ')}`);
  return names.filter((name) => wanted.includes(name));
}

/** Returns the folder of the part's instance below `--data DIR`, which the next run reuses; without the option undefined. */
export function dataDirectory(part: string): string | undefined {
  const folder = option('data');
  return folder === undefined ? undefined : path.resolve(folder, part);
}

/** `--turns all` adds the assistant's turns of LongMemEval: three times the text. */
export function rolesOfTurns(): readonly ('user' | 'assistant')[] {
  return option('turns') === 'all' ? ['user', 'assistant'] : ['user'];
}
