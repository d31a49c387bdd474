import { useMemo, useRef, useState } from 'preact/hooks';
import { ask } from '../../link/ask.ts';
import type { Loaded } from '../../link/loadable.ts';
import { useReading } from '../../link/resource.ts';
import { limiting, partOf, readable, withLatest, withPage } from './parts.ts';
import type { Part } from './parts.ts';
import { eventsOf } from './view.ts';
import type { SHOWN, SessionRow } from './view.ts';

const PAGE_ROWS = 60;
const LARGEST_PAGE = 100;
/** Rows of a print: a longer session is a matter for an export. */
const MOST_PRINTED = 5_000;

export interface RowsView {
  readonly sessionId: string;
  /** Position to show the rows around; null: from the start. */
  readonly around: number | null;
  readonly show: (typeof SHOWN)[number] | undefined;
  readonly agent: string | undefined;
}

/** One part for each kind of rows that is shown. */
type Parts = readonly Part<SessionRow>[];
type Page = { readonly cursor: string } | { readonly around: number } | object;

/** Returns the readers of the parts of a view. */
function readersOf({ sessionId: id, show, agent }: RowsView) {
  const path = { id };
  const prompts = async (page: Page, limit: number): Promise<Part<SessionRow>> =>
    partOf<SessionRow>(await ask('GET /sessions/{id}/prompts', { path, query: { agent, limit, ...page } }));
  const tools = async (page: Page, limit: number, full = false): Promise<Part<SessionRow>> =>
    partOf<SessionRow>(await ask('GET /sessions/{id}/observations', { path, query: { agent, limit, full, ...page } }));
  return [...(show === 'tools' ? [] : [prompts]), ...(show === 'prompts' ? [] : [tools])];
}

export interface SessionRows extends Loaded<Parts> {
  readonly rows: readonly SessionRow[];
  readonly total: number;
  readonly reload: () => void;
  readonly earlier: (() => void) | undefined;
  readonly later: (() => void) | undefined;
  /** Reads the rows anew, such as after some were forgotten. @throws AskError */
  readonly renew: () => Promise<void>;
  /** Reads all rows with their complete texts. @throws AskError */
  readonly readAll: () => Promise<void>;
}

/** Returns prompts and tool calls of a session in order, read page by page in both directions; live at the end. */
export function useRows(view: RowsView): SessionRows {
  const readers = readersOf(view);
  const first = view.around === null ? {} : { around: view.around };
  const readFirst = (): Promise<Parts> => Promise.all(readers.map((read) => read(first, PAGE_ROWS)));
  /** Reads the rows that came since at the end; pages that end before stay. */
  const read = (before: Parts | undefined): Promise<Parts> =>
    before === undefined
      ? readFirst()
      : Promise.all(
          before.map(async (part, index) => {
            const reader = readers[index];
            if (part.after !== null || reader === undefined) return part;
            return withLatest(part, await reader({ around: part.rows.at(-1)?.seq ?? 0 }, LARGEST_PAGE));
          }),
        );
  const loaded = useReading<Parts>(
    `rows ${JSON.stringify(view)}`,
    read,
    eventsOf(view.sessionId, ['observation.added', 'session.updated']),
  );
  const { reading } = loaded;
  const isReading = useRef(false);
  const [, setReadAt] = useState(0);
  const further = async (side: 'before' | 'after', limit: number, full = false): Promise<boolean> => {
    const { data: parts, error } = reading.state.peek();
    if (parts === undefined || error !== null) return false;
    const wanted = limiting(parts, side);
    if (!wanted.includes(true)) return false;
    const pages = await Promise.all(
      parts.map(async (part, index) => {
        const cursor = part[side];
        return wanted[index] === true && cursor !== null ? await readers[index]?.({ cursor }, limit, full) : undefined;
      }),
    );
    const known = reading.state.peek().data ?? parts;
    reading.set(
      known.map((part, index) => {
        const page = pages[index];
        return page === undefined ? part : withPage(part, page, side);
      }),
    );
    return true;
  };
  const more = (side: 'before' | 'after') => (): void => {
    if (isReading.current) return;
    isReading.current = true;
    further(side, PAGE_ROWS)
      // The rows stay, with the error and the button that loads them again.
      .catch((fault: unknown) => reading.fail(fault))
      .finally(() => {
        isReading.current = false;
        setReadAt((count) => count + 1);
      });
  };
  const parts = loaded.data ?? [];
  // The list computes its heights anew for other rows.
  const rows = useMemo(() => readable(loaded.data ?? []), [loaded.data]);
  return {
    ...loaded,
    rows,
    total: parts.reduce((sum, part) => sum + (part.total ?? 0), 0),
    earlier: limiting(parts, 'before').includes(true) ? more('before') : undefined,
    later: limiting(parts, 'after').includes(true) ? more('after') : undefined,
    renew: async () => reading.set(await readFirst()),
    readAll: async () => {
      reading.set(await Promise.all(readers.map((reader) => reader({}, LARGEST_PAGE, true))));
      let count = 0;
      do count = readable(reading.state.peek().data ?? []).length;
      while (count < MOST_PRINTED && (await further('after', LARGEST_PAGE, true)));
    },
  };
}
