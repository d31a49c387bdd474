import { memoryHash } from '../domain/memory.ts';
import { inertText } from '../domain/recalled/inert-text.ts';
import type { ServedMemory } from './context-passages.ts';
import type { ContextEntry } from './context-candidates.ts';
import { RECALLED_NOTICE, recalledBlock } from '../domain/recalled/recalled-block.ts';

/** An omitted memory, listed by title if the budget allows. */
export interface IndexLine {
  readonly id: string;
  readonly title: string;
}

const TITLE_CHARS = 80;
const NAME_CHARS = 80;
/** More lines would be a list instead of a hint. */
const MAX_INDEX_LINES = 5;

/** Returns a name or a title as part of one line: inert and truncated. */
function inLine(text: string, maxChars: number): string {
  // Reads no more of a long text than it may show, plus blanks.
  const line = inertText(text.slice(0, maxChars * 4))
    .replaceAll(/\s+/gu, ' ')
    .trim();
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1).toWellFormed()}…`;
}

/** Frames lines for the agent. Names, titles and words are untrusted: none may end the block or start a line of its own. */
function framed(projectName: string, lines: readonly string[]): string {
  const notice = `${RECALLED_NOTICE} A full item: tool get, or \`recollect get HASH\` with its [hash]. Memory of ${inLine(projectName, NAME_CHARS)}`;
  // Each part was made inert before it was counted; the joined text must be inert too.
  return recalledBlock(lines.map(inertText).join('\n'), notice);
}

/** Returns the tokens of an empty block. */
export function frameTokens(projectName: string, headings: readonly string[], count: (text: string) => number): number {
  return count(framed(projectName, headings));
}

function indexLine({ id, title }: IndexLine): string {
  return `- [${memoryHash(id)}] ${inLine(title, TITLE_CHARS)}`;
}

/** Returns the block with as many index lines of omitted memories as its budget allows. */
export function renderBlock(
  projectName: string,
  lines: readonly string[],
  omitted: readonly IndexLine[],
  { budgetTokens, count }: { readonly budgetTokens: number; readonly count: (text: string) => number },
): string {
  const served = framed(projectName, lines);
  // One line per title: ten changes of one file are worth no more than the first.
  const titles = omitted.map((each) => each.title.trim());
  const index = omitted
    .filter((_, n) => titles.indexOf(titles[n] ?? '') === n)
    .filter((each) => each.title.trim() !== '')
    .slice(0, MAX_INDEX_LINES)
    .map(indexLine);
  for (let n = index.length; n > 0; n -= 1) {
    const more = framed(projectName, [...lines, '## More', ...index.slice(0, n)]);
    if (count(more) <= budgetTokens) return more;
  }
  return served;
}

/** Returns the lines of chosen entries under their headings. */
export function sectionLines(headings: readonly string[], chosen: readonly ContextEntry[]): string[] {
  return headings.flatMap((heading, section) => {
    const lines = chosen.filter((entry) => entry.section === section).map((entry) => entry.text);
    return lines.length === 0 ? [] : [`## ${heading}`, ...lines];
  });
}

/** Returns the lines of memories by day, starting with the day of the best. */
export function dayLines(served: readonly ServedMemory[]): string[] {
  const days = Map.groupBy(served, ({ memory }) => memory.occurredAt.slice(0, 10));
  return [...days].flatMap(([day, memories]) => [`## ${day}`, ...memories.map(({ line }) => line)]);
}
