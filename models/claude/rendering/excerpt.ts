import { verbatimHead, verbatimTail } from '../../../domain/text/clean.ts';

/** A run of a text, in UTF-16 units. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** Leaving out less than this saves nothing, because the note in its place is as long. */
const LEAST_GAP = 36;

/** Two scraps say less than one. */
const LEAST_FOR_BOTH = 100;

/** What stands where something was left out. */
export function gapNote(characters: number): string {
  return `[… ${String(characters)} characters left out]`;
}

/**
 * The beginning and the end of a text, at most about `characters` in all; `headShare` of them from the beginning. What is shown is
 * shown as it stands, so that a quote of it is a quote of the text.
 */
export function bothEnds(text: string, characters: number, headShare: number): string {
  if (text.length - characters < LEAST_GAP) return text;
  const room = Math.max(0, Math.floor(characters));
  const share = room < LEAST_FOR_BOTH ? 1 : headShare;
  const head = wholeLinesHead(verbatimHead(text, Math.floor(room * share)));
  const tail = wholeLinesTail(verbatimTail(text, room - head.length));
  return [head, gapNote(text.length - head.length - tail.length), tail].filter((part) => part !== '').join('\n');
}

/** The beginning without its last, broken line, where that costs little. */
function wholeLinesHead(head: string): string {
  const at = head.lastIndexOf('\n');
  return at > head.length * 0.75 ? head.slice(0, at) : head;
}

function wholeLinesTail(tail: string): string {
  const at = tail.indexOf('\n');
  return at >= 0 && at < tail.length * 0.25 ? tail.slice(at + 1) : tail;
}

/** The given runs of a text, in order, with a note where something between them was left out. */
export function shownRuns(text: string, runs: readonly Run[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of closed(runs, text.length)) {
    if (start > at) parts.push(gapNote(start - at));
    parts.push(text.slice(start, end).replace(/\n$/u, ''));
    at = end;
  }
  if (at < text.length) parts.push(gapNote(text.length - at));
  return parts.join('\n');
}

/** The runs with gaps filled that are not worth a note. */
function closed(runs: readonly Run[], length: number): readonly Run[] {
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of runs) {
    const last = result.at(-1);
    if (last !== undefined && start - last.end < LEAST_GAP) last.end = end;
    else result.push({ start: last === undefined && start < LEAST_GAP ? 0 : start, end });
  }
  const last = result.at(-1);
  if (last !== undefined && length - last.end < LEAST_GAP) last.end = length;
  return result;
}
