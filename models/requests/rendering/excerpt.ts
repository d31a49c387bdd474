import { verbatimHead, verbatimTail } from '../../../domain/text/clean.ts';

/** A run of a text, in UTF-16 units. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** Smaller gaps save nothing, because the note is as long. */
const LEAST_GAP = 36;

/** Below this, one fragment is more useful than two. */
const LEAST_FOR_BOTH = 100;

/** Returns the note in place of omitted text. */
export function gapNote(characters: number): string {
  return `[… ${String(characters)} characters left out]`;
}

/**
 * Returns the start and the end of a text in about `characters`, with `headShare` of them from the start. Shown text is verbatim, so a quote
 * of it is a quote of the text.
 */
export function bothEnds(text: string, characters: number, headShare: number): string {
  if (text.length - characters < LEAST_GAP) return text;
  const space = Math.max(0, Math.floor(characters));
  const share = space < LEAST_FOR_BOTH ? 1 : headShare;
  const head = completeLinesHead(verbatimHead(text, Math.floor(space * share)));
  const tail = completeLinesTail(verbatimTail(text, space - head.length));
  return [head, gapNote(text.length - head.length - tail.length), tail].filter((part) => part !== '').join('\n');
}

/** Removes the last, incomplete line if that costs little. */
function completeLinesHead(head: string): string {
  const at = head.lastIndexOf('\n');
  return at > head.length * 0.75 ? head.slice(0, at) : head;
}

function completeLinesTail(tail: string): string {
  const at = tail.indexOf('\n');
  return at >= 0 && at < tail.length * 0.25 ? tail.slice(at + 1) : tail;
}

/** Joins the given runs of a text in order, with a note for each gap. */
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

/** Fills gaps that are not worth a note. */
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
