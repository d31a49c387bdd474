import type { Output } from './output.ts';

/** As capture knows it (domain/context-tag.ts). */
const CONTEXT_TAG = 'recollect-context';
const TAGS = new RegExp(`</?${CONTEXT_TAG}>`, 'giu');

/**
 * Writes what memory said. Where no person reads it, which is how an agent runs a command, it stands between the tags that capture takes out
 * again: what was recalled would otherwise be remembered as if it had happened once more.
 */
export function writeRecalled({ out, columns }: Output, text: string): void {
  if (columns !== null || text === '') out(text);
  else out(`<${CONTEXT_TAG}>\n${text.replaceAll(TAGS, '').trimEnd()}\n</${CONTEXT_TAG}>\n`);
}
