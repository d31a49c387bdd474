import path from 'node:path';

function valueOf(option: string): string | undefined {
  const place = process.argv.indexOf(option);
  return place < 0 ? undefined : process.argv[place + 1];
}

/** `--data DIR`: folder of the part's instance, which the next run reuses. Absent: a scratch one. */
export function keptDirectory(part: string): string | undefined {
  const folder = valueOf('--data');
  return folder === undefined ? undefined : path.resolve(folder, part);
}

/** `--turns all` has the assistant's turns of LongMemEval, too: three times the text. */
export function rolesOfTurns(): readonly ('user' | 'assistant')[] {
  return valueOf('--turns') === 'all' ? ['user', 'assistant'] : ['user'];
}
