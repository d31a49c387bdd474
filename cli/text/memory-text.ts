import type { Memory } from '../../client/index.ts';
import { terminalText } from './terminal-text.ts';
import { ago, minuteOf, short, wrap } from './text-layout.ts';
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
const PREVIEW_CHARS = 200;

function tagsText(tags: readonly string[]): string {
  return tags.length === 0 ? '' : `  [${terminalText(tags.join(', '))}]`;
}

/** Returns the title, unless the content repeats it. */
function ownTitle({ title, content }: Memory): string {
  return content.startsWith(title.replace(/…$/, '')) ? '' : short(title, TITLE_CHARS);
}

/** Returns a memory in two or three lines: `mark`, hash, type, time and age, score, tags, the beginning of its text. */
export function shortMemoryText(memory: Memory, now: number, mark = ''): string {
  const { hash, type, kind, occurred_at: at, score, content, tags } = memory;
  const head = [
    `${mark}${hash}`,
    `${type}/${kind}`,
    `${minuteOf(at)} UTC (${ago(at, now)} ago)`,
    // 0 outside of a search.
    ...(score === 0 ? [] : [score.toFixed(2)]),
  ];
  const text = short([ownTitle(memory), content].filter((part) => part !== '').join(': '), PREVIEW_CHARS);
  return `${head.join('  ')}${tagsText(tags)}\n${wrap(terminalText(text), INDENT).join('\n')}\n`;
}

/** Returns a memory with origin and full text. */
export function memoryText(memory: Memory): string {
  const { hash, type, kind, tool, project, session, tags, occurred_at: at, content } = memory;
  const from = [
    tool === null ? '' : `by ${tool}`,
    project === null ? '' : `in ${project}`,
    session === null ? '' : `session ${session.external_id}`,
  ].filter((part) => part !== '');
  const head = `${hash}  ${type}/${kind}  ${minuteOf(at)} UTC${tagsText(tags)}`;
  const title = ownTitle(memory);
  return [
    head,
    ...(from.length === 0 ? [] : [`${INDENT}${terminalText(from.join(', '))}`]),
    ...(title === '' ? [] : ['', terminalText(title)]),
    '',
    terminalText(content).trimEnd(),
    '',
  ].join('\n');
}
