import type { SourceRow } from '../../../domain/ports/model.ts';
import { editExcerpt } from './edit-excerpt.ts';
import { bothEnds } from './excerpt.ts';
import { oneWord } from './marks.ts';
import type { Part } from './parts.ts';

/** How much of a kind of row is worth showing. Caps and floors are tokens. */
interface Manner {
  readonly weight: number;
  readonly cap: number;
  readonly floor: number;
  /** Of what is shown, the part from the row's beginning; an edit is shown by its changed lines. */
  readonly shape: number | 'edit';
}

// What the user said is the request and cannot be found elsewhere. A failure says why at either end. An assistant's message ends in what
// was done; output of a command that went well ends in its result. What was read stands in the files.
const MANNERS = {
  said: { weight: 6, cap: 500, floor: 40, shape: 0.7 },
  failed: { weight: 5, cap: 400, floor: 40, shape: 0.5 },
  told: { weight: 2.5, cap: 260, floor: 30, shape: 0.4 },
  edited: { weight: 2, cap: 240, floor: 24, shape: 'edit' },
  written: { weight: 1.5, cap: 160, floor: 24, shape: 0.8 },
  ran: { weight: 2, cap: 200, floor: 24, shape: 0.45 },
  asked: { weight: 1.5, cap: 160, floor: 20, shape: 0.35 },
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
  Task: MANNERS.asked,
  Agent: MANNERS.asked,
  TodoWrite: MANNERS.listed,
  Read: MANNERS.looked,
  NotebookRead: MANNERS.looked,
  Grep: MANNERS.looked,
  Glob: MANNERS.looked,
  LS: MANNERS.looked,
  WebFetch: MANNERS.asked,
  WebSearch: MANNERS.looked,
};

function mannerOf({ type, tool }: SourceRow): Manner {
  switch (type) {
    case 'user':
    case 'system':
      return MANNERS.said;
    case 'error':
      return MANNERS.failed;
    case 'assistant':
    case 'tool':
      return MANNERS.told;
    case 'tool_result':
      return (tool === null ? undefined : TOOL_MANNERS[tool]) ?? MANNERS.asked;
    case 'warning':
    case 'info':
      return MANNERS.noted;
  }
}

/** A pause shorter than this says nothing. */
const TELLING_PAUSE_MS = 5 * 60_000;
const MINUTE_MS = 60_000;

/**
 * A row, cut by its kind. `before` is the row that was shown before it, for the pause between them.
 *
 * @param share Of weight and cap, for calls to which rows are only a background.
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
    // Not less: a scrap of a row says nothing, and a row that is left out costs nothing.
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
  return pauseMs >= TELLING_PAUSE_MS ? `+${String(Math.round(pauseMs / MINUTE_MS))}m` : '';
}
