import { shorten, stripAnsi } from '../../../domain/text/clean.ts';
import type { Call } from '../calls.ts';

/** A longer command line is shown by its beginning. */
const MAX_COMMAND_CHARACTERS = 140;
/** Directory changes and environments before the command: they say nothing about it. */
const PREPARATION = /^(?:(?:cd|pushd|source|\.)\s+[^&|;\n]+(?:&&|;)\s*)+/u;

/** The command as it was typed, without what prepares it; its first line, cut where it is long. */
export function shownLine({ input }: Call): string {
  const typed = stripAnsi(input).replace(/^\$ /u, '').trim();
  const line = (typed.replace(PREPARATION, '') || typed).split('\n')[0] ?? '';
  return shorten(line.trim(), MAX_COMMAND_CHARACTERS).replaceAll('`', "'");
}
