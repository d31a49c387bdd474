import { inertText } from '../../domain/recalled/inert-text.ts';
import { recalledBlock } from '../../domain/recalled/recalled-block.ts';
import type { Output } from '../output.ts';

/**
 * Writes what memory said. Where no person reads it, which is how an agent runs a command, it stands between the tags that capture takes out
 * again: what was recalled would otherwise be remembered as if it had happened once more.
 */
export function writeRecalled({ out, columns }: Output, text: string): void {
  if (text === '') out(text);
  else if (columns === null) out(`${recalledBlock(inertText(text).trimEnd())}\n`);
  else out(inertText(text));
}
