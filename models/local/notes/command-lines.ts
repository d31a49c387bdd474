import { shorten, stripAnsi } from '../../../domain/text/clean.ts';
import type { Call } from '../calls.ts';

/** Longer command lines are truncated. */
const MAX_COMMAND_CHARACTERS = 140;
/** Directory changes and environments before the command. */
const PREPARATION = /^(?:(?:cd|pushd|source|\.)\s+[^&|;\n]+(?:&&|;)\s*)+/u;

/** Returns the first line of a command without preparation, truncated if long. */
export function shownLine({ input }: Call): string {
  const typed = stripAnsi(input).replace(/^\$ /u, '').trim();
  const line = (typed.replace(PREPARATION, '') || typed).split('\n')[0] ?? '';
  return shorten(line.trim(), MAX_COMMAND_CHARACTERS).replaceAll('`', "'");
}
