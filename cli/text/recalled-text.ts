import { inertText } from '../../domain/recalled/inert-text.ts';
import { recalledBlock } from '../../domain/recalled/recalled-block.ts';
import type { Output } from '../output.ts';

/**
 * Writes recalled text. Without a terminal, as in an agent's command, it is wrapped in the tags that capture removes: it would otherwise be
 * stored again as a new event.
 */
export function writeRecalled({ out, columns }: Output, text: string): void {
  if (text === '') out(text);
  else if (columns === null) out(`${recalledBlock(inertText(text).trimEnd())}\n`);
  else out(inertText(text));
}
