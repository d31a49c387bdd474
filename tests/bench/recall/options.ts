import path from 'node:path';

function valueOf(option: string): string | undefined {
  const place = process.argv.indexOf(option);
  return place < 0 ? undefined : process.argv[place + 1];
}

/** Returns the folder of the part's instance below `--data DIR`, which the next run reuses; without the option undefined. */
export function dataDirectory(part: string): string | undefined {
  const folder = valueOf('--data');
  return folder === undefined ? undefined : path.resolve(folder, part);
}

/** `--turns all` adds the assistant's turns of LongMemEval: three times the text. */
export function rolesOfTurns(): readonly ('user' | 'assistant')[] {
  return valueOf('--turns') === 'all' ? ['user', 'assistant'] : ['user'];
}
