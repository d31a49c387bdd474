import type { CompactMemory, Memory } from '../../client/index.ts';
import { terminalText } from './terminal-text.ts';
import { minuteOf, short, wrap } from './text-layout.ts';
import { inertText } from '../../domain/recalled/inert-text.ts';
import type { Output } from '../output.ts';
import { recalledBlock } from '../../domain/recalled/recalled-block.ts';

/**
 * Writes recalled text. Without a terminal, as in an agent's command, it is wrapped in the tags that capture removes: it would otherwise be
 * stored again as a new event.
 */
export function writeRecalled({ out, columns }: Output, text: string): void {
  if (text === '') out(text);
  else if (columns === null) out(`${recalledBlock(inertText(text).trimEnd())}\n`);
  else out(inertText(text));
}

const INDENT = '  ';
const TITLE_CHARS = 120;

function tagsText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `  [${terminalText(tags.join(', '))}]`;
}

/** Returns a memory in two or three lines: `mark`, hash, date, score, tags and preview. */
export function compactText(memory: CompactMemory, mark = ''): string {
  const { hash, created, score, preview, tags } = memory;
  const head = [`${mark}${hash}`, created, ...(score === undefined ? [] : [score.toFixed(2)])].join('  ');
  return `${head}${tagsText(tags)}\n${wrap(terminalText(preview), INDENT).join('\n')}\n`;
}

/** Returns a memory with origin and full text. */
export function memoryText(memory: Memory): string {
  const { hash, type, kind, tool, project, session, tags, occurred_at: at, title, content } = memory;
  const from = [
    tool === null ? '' : `by ${tool}`,
    project === null ? '' : `in ${project}`,
    session === null ? '' : `session ${session.external_id}`,
  ].filter((part) => part !== '');
  const head = `${hash}  ${type}/${kind}  ${minuteOf(at)} UTC${tagsText(tags)}`;
  const isTitled = title !== '' && !content.startsWith(title.replace(/…$/, ''));
  return [
    head,
    ...(from.length === 0 ? [] : [`${INDENT}${terminalText(from.join(', '))}`]),
    ...(isTitled ? ['', terminalText(short(title, TITLE_CHARS))] : []),
    '',
    terminalText(content).trimEnd(),
    '',
  ].join('\n');
}
