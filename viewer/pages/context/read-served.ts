import type { ServedContext } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { QueryOf } from '../../link/ask.ts';
import type { Rows } from '../../link/merge.ts';
import { usePages } from '../../link/pages.ts';
import type { Pages } from '../../link/pages.ts';

const PAGE_ROWS = 30;

export type ServedFilters = Pick<QueryOf<'GET /contexts'> & object, 'session' | 'project' | 'purpose'>;

/** Returns the contexts that agents were served, newest first, page by page. */
export function useServed(filters: ServedFilters): Pages<ServedContext, Rows<ServedContext>> {
  const page = async (next: Readonly<Record<string, unknown>>): Promise<Rows<ServedContext>> => {
    const { data: items, pagination } = await ask('GET /contexts', {
      query: { ...filters, limit: PAGE_ROWS, ...next },
    });
    const { next_cursor: cursor } = pagination;
    return { items, total: null, next: cursor === null ? null : { cursor } };
  };
  // `/api/v1/contexts` in the key: feedback invalidates the list.
  return usePages(`/api/v1/contexts ${JSON.stringify(filters)}`, page, ({ id }) => id);
}
