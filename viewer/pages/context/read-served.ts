import { useRef } from 'preact/hooks';
import type { ServedContext } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { QueryOf } from '../../link/ask.ts';
import type { Loaded } from '../../link/loadable.ts';
import { withNextPage, withOlderRows } from '../../link/merge.ts';
import type { Rows } from '../../link/merge.ts';
import { useReading } from '../../link/resource.ts';

const PAGE_ROWS = 30;
const idOf = ({ id }: ServedContext): string => id;

export type ServedFilters = Pick<QueryOf<'GET /contexts'> & object, 'session' | 'project' | 'purpose'>;

export interface ServedList extends Loaded<Rows<ServedContext>> {
  readonly reload: () => void;
  /** Reads the next page; undefined at the end. */
  readonly more: (() => void) | undefined;
}

/** Returns the contexts that agents were served, newest first, page by page. */
export function useServed(filters: ServedFilters): ServedList {
  const page = async (next: Readonly<Record<string, unknown>>): Promise<Rows<ServedContext>> => {
    const { data: items, pagination } = await ask('GET /contexts', {
      query: { ...filters, limit: PAGE_ROWS, ...next },
    });
    const { next_cursor: cursor } = pagination;
    return { items, total: null, next: cursor === null ? null : { cursor } };
  };
  const read = async (before: Rows<ServedContext> | undefined): Promise<Rows<ServedContext>> => {
    const newest = await page({});
    return before === undefined ? newest : (withOlderRows(newest, before, idOf) ?? newest);
  };
  // `/api/v1/contexts` in the key: feedback invalidates the list.
  const loaded = useReading(`/api/v1/contexts ${JSON.stringify(filters)}`, read);
  const { reading } = loaded;
  const isReading = useRef(false);
  const next = loaded.data?.next ?? null;
  const more = (): void => {
    if (next === null || isReading.current) return;
    isReading.current = true;
    page(next)
      .then((rows) => {
        const known = reading.state.peek().data;
        if (known !== undefined) reading.set(withNextPage(known, rows, idOf));
      })
      .catch(() => reading.load())
      .finally(() => {
        isReading.current = false;
      });
  };
  return { ...loaded, more: next === null ? undefined : more };
}
