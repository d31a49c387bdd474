import type { Span } from './sentences.ts';

type BlockKind = 'paragraph' | 'item' | 'heading' | 'code' | 'table';

/** One block of a Markdown-like text. The span of list items and headings excludes the marker. */
interface Block extends Span {
  readonly kind: BlockKind;
}

interface Line extends Span {
  readonly text: string;
}

const FENCE = /^\s*(```+|~~~+)/u;
const HEADING = /^\s*#{1,6}\s+/u;
const ITEM = /^\s*(?:[-*•◦+]|\d{1,3}[.)]|☐|☒|✅|✓|✔|❌|⚠️?)\s+(?:\[[ xX]\]\s+)?/u;
const TABLE = /^\s*\|.*\|\s*$/u;
const RULE = /^\s*(?:[-=*_─━═]{3,}|[+|│├└┌┐┘┤┬┴┼─]{3,})\s*$/u;
/** Longer lines were probably wrapped by a terminal, so the next line continues them. */
const WRAPPED_LINE_CHARACTERS = 70;

/**
 * Splits a text into blocks: paragraphs (with terminal-wrapped lines joined), list items, headings, fenced code and tables. Skips rules
 * and blank lines. An unclosed fence ends with the text. Linear in the text.
 */
export function splitBlocks(source: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { kind: BlockKind; start: number; end: number; lastLine: string } | undefined;
  let fence: { mark: string; start: number } | undefined;
  const close = (): void => {
    if (open) blocks.push({ kind: open.kind, start: open.start, end: open.end });
    open = undefined;
  };
  for (const line of linesOf(source)) {
    const mark = FENCE.exec(line.text)?.[1];
    if (fence) {
      if (mark?.startsWith(fence.mark)) {
        if (line.start > fence.start) blocks.push({ kind: 'code', start: fence.start, end: line.start - 1 });
        fence = undefined;
      }
      continue;
    }
    if (mark !== undefined) {
      close();
      fence = { mark, start: Math.min(line.end + 1, source.length) };
      continue;
    }
    if (line.text.trim() === '' || RULE.test(line.text)) {
      close();
      continue;
    }
    const starts = startOf(line);
    if (starts.kind !== 'paragraph' || !open || !joins(open, line)) {
      close();
      open = { kind: starts.kind, start: starts.start, end: line.end, lastLine: line.text };
      if (starts.kind === 'heading' || starts.kind === 'table') close();
    } else {
      open = { ...open, end: line.end, lastLine: line.text };
    }
  }
  close();
  if (fence && fence.start < source.length) blocks.push({ kind: 'code', start: fence.start, end: source.length });
  return blocks;
}

function startOf(line: Line): { kind: BlockKind; start: number } {
  if (TABLE.test(line.text)) return { kind: 'table', start: line.start };
  const heading = HEADING.exec(line.text)?.[0];
  if (heading !== undefined) return { kind: 'heading', start: line.start + heading.length };
  const item = ITEM.exec(line.text)?.[0];
  if (item !== undefined) return { kind: 'item', start: line.start + item.length };
  return { kind: 'paragraph', start: line.start };
}

function joins(open: { kind: BlockKind; lastLine: string }, line: Line): boolean {
  if (open.kind === 'table' || open.kind === 'heading') return false;
  if (/[.!?:。！？：]\s*$/u.test(open.lastLine) && open.lastLine.length < WRAPPED_LINE_CHARACTERS) return false;
  return open.lastLine.trimEnd().length >= WRAPPED_LINE_CHARACTERS || /^\s*\p{Ll}/u.test(line.text);
}

function* linesOf(source: string): Generator<Line> {
  let start = 0;
  while (start <= source.length) {
    const at = source.indexOf('\n', start);
    const end = at === -1 ? source.length : at;
    yield { start, end, text: source.slice(start, end) };
    start = end + 1;
  }
}
