import type { SourceRow } from '../../../domain/ports/model.ts';
import { bothEnds, shownRuns } from './excerpt.ts';
import type { Run } from './excerpt.ts';
import { oneWord } from './marks.ts';
import type { Part } from './parts.ts';

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

/** Limits for a kind of row. Caps and floors are tokens. */
interface Manner {
  readonly weight: number;
  readonly cap: number;
  readonly floor: number;
  /** Share of the row's start in the excerpt; an edit is shown by its changed lines. */
  readonly shape: number | 'edit';
}

// A user's prompt is the request and exists nowhere else. A failure shows its reason at either end. An assistant's message ends with the
// result, and so does the output of a successful command. Content that was read is in the files.
const MANNERS = {
  prompt: { weight: 6, cap: 500, floor: 40, shape: 0.7 },
  failed: { weight: 5, cap: 400, floor: 40, shape: 0.5 },
  message: { weight: 2.5, cap: 260, floor: 30, shape: 0.4 },
  edited: { weight: 2, cap: 240, floor: 24, shape: 'edit' },
  written: { weight: 1.5, cap: 160, floor: 24, shape: 0.8 },
  ran: { weight: 2, cap: 200, floor: 24, shape: 0.45 },
  fetched: { weight: 1.5, cap: 160, floor: 20, shape: 0.35 },
  listed: { weight: 0.8, cap: 60, floor: 12, shape: 0.5 },
  looked: { weight: 0.6, cap: 40, floor: 12, shape: 0.8 },
  noted: { weight: 1.5, cap: 120, floor: 20, shape: 0.6 },
} as const satisfies Record<string, Manner>;

const TOOL_MANNERS: Readonly<Record<string, Manner>> = {
  Edit: MANNERS.edited,
  MultiEdit: MANNERS.edited,
  NotebookEdit: MANNERS.edited,
  apply_patch: MANNERS.edited,
  Write: MANNERS.written,
  Bash: MANNERS.ran,
  Task: MANNERS.fetched,
  Agent: MANNERS.fetched,
  TodoWrite: MANNERS.listed,
  Read: MANNERS.looked,
  NotebookRead: MANNERS.looked,
  Grep: MANNERS.looked,
  Glob: MANNERS.looked,
  LS: MANNERS.looked,
  WebFetch: MANNERS.fetched,
  WebSearch: MANNERS.looked,
};

function mannerOf({ type, tool }: SourceRow): Manner {
  switch (type) {
    case 'user':
    case 'system':
      return MANNERS.prompt;
    case 'error':
      return MANNERS.failed;
    case 'assistant':
    case 'tool':
      return MANNERS.message;
    case 'tool_result':
      return (tool === null ? undefined : TOOL_MANNERS[tool]) ?? MANNERS.fetched;
    case 'warning':
    case 'info':
      return MANNERS.noted;
  }
}

/** Shorter pauses are not shown. */
const SHOWN_PAUSE_MS = 5 * 60_000;
const MINUTE_MS = 60_000;

/**
 * Returns a row, cut by its kind. `before` is the previously shown row, for the pause between them.
 *
 * @param share Factor of weight and cap, for calls with rows as background.
 */
export function rowPart(row: SourceRow, shortId: string, before: SourceRow | undefined, share = 1): Part {
  const { weight, cap, floor, shape } = mannerOf(row);
  const charactersPerToken = Math.max(0.5, row.content.length / Math.max(1, row.tokens));
  return {
    label: `${shortId} ${speakerOf(row)}`,
    when: pauseOf(row, before),
    weight: weight * share,
    wants: row.tokens,
    cap: cap * share,
    // Not less: a fragment of a row is useless, and an omitted row costs nothing.
    floor,
    show: (tokens) => {
      const characters = Math.floor(tokens * charactersPerToken);
      return shape === 'edit' ? editExcerpt(row.content, characters) : bothEnds(row.content, characters, shape);
    },
  };
}

function speakerOf({ role, type, tool }: SourceRow): string {
  if (role === 'prompt') return type;
  const name = tool === null ? '' : oneWord(tool);
  return type === 'tool_result' && name !== '' ? name : [name, type].filter((part) => part !== '').join(' ');
}

function pauseOf(row: SourceRow, before: SourceRow | undefined): string {
  const pauseMs = before === undefined ? 0 : Date.parse(row.occurredAt) - Date.parse(before.occurredAt);
  return pauseMs >= SHOWN_PAUSE_MS ? `+${String(Math.round(pauseMs / MINUTE_MS))}m` : '';
}
