import { bothEnds, type Run, shownRuns } from './excerpt.ts';

interface Line extends Run {
  readonly sign: '-' | '+' | null;
  readonly text: string;
}

/** A changed line as stored, or as a host prints it: after the line number. */
const SIGNED = /^(?:\s*\d+ )?([+-])(?:\s|$)/u;
/** Largest share of removed lines: the new state is more informative than the old one. */
const REMOVED_SHARE = 0.35;

/**
 * Returns the changes of an edit in about `characters`: the path, then changed lines, and context lines if they fit. An edit is stored as
 * its old lines after "- " and its new ones after "+ "; lines in both are unchanged.
 */
export function editExcerpt(content: string, characters: number): string {
  if (content.length <= characters) return content;
  const lines = linesOf(content);
  const old = countsOf(lines, '-');
  const fresh = countsOf(lines, '+');
  const changed = lines.filter(({ sign, text }) =>
    sign === null ? false : !(sign === '-' ? fresh : old).has(text) && text.trim() !== '',
  );
  const first = lines[0];
  if (changed.length === 0 || first === undefined) return bothEnds(content, characters, 0.6);
  const space = characters - (first.end - first.start);
  const shown = new Set<Line>([first]);
  const removed = take(
    changed.filter(({ sign }) => sign === '-'),
    space * REMOVED_SHARE,
    shown,
  );
  take(
    changed.filter(({ sign }) => sign === '+'),
    space - removed,
    shown,
  );
  // Only the path: the first line exceeds the limit.
  if (shown.size === 1) return bothEnds(content, characters, 0.6);
  return shownRuns(
    content,
    lines.filter((line) => shown.has(line)),
  );
}

/** Adds lines while they fit; returns their characters. */
function take(lines: readonly Line[], space: number, shown: Set<Line>): number {
  let used = 0;
  for (const line of lines) {
    const size = line.end - line.start;
    if (used + size > space) break;
    used += size;
    shown.add(line);
  }
  return used;
}

function linesOf(content: string): readonly Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < content.length;) {
    const at = content.indexOf('\n', start);
    const end = at < 0 ? content.length : at + 1;
    const text = content.slice(start, end).trimEnd();
    const signed = SIGNED.exec(text);
    const sign = signed?.[1] === '-' || signed?.[1] === '+' ? signed[1] : null;
    lines.push({ start, end, sign, text: signed === null ? text : text.slice(signed[0].length) });
    start = end;
  }
  return lines;
}

function countsOf(lines: readonly Line[], sign: '-' | '+'): ReadonlySet<string> {
  return new Set(lines.filter((line) => line.sign === sign).map(({ text }) => text));
}
