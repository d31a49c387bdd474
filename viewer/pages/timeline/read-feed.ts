import type { FeedItem } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { QueryOf } from '../../link/ask.ts';
import { on } from '../../link/loadable.ts';
import type { Rows } from '../../link/merge.ts';
import { usePages } from '../../link/pages.ts';
import type { Pages } from '../../link/pages.ts';
import { keyOf } from './feed.ts';

const PAGE_ITEMS = 60;

export type FeedFilters = Pick<QueryOf<'GET /feed'> & object, 'type' | 'project' | 'session' | 'until'>;

const concernsFeed = on(
  'session.created',
  'session.updated',
  'observation.added',
  'summary.generated',
  'learning.extracted',
);

/** Returns what happened, newest first, as it is read and grows; without `until`, live. */
export function useFeed(filters: FeedFilters): Pages<FeedItem, Rows<FeedItem>> {
  // Not from the cursor of newer items: some come late, such as the end of a session, at the time of its last event.
  const page = async (next: Readonly<Record<string, unknown>>): Promise<Rows<FeedItem>> => {
    const { data: items, older } = await ask('GET /feed', { query: { ...filters, limit: PAGE_ITEMS, ...next } });
    return { items, total: null, next: older === null ? null : { cursor: older } };
  };
  const isLive = filters.until === undefined;
  return usePages(`feed ${JSON.stringify(filters)}`, page, keyOf, (event) => isLive && concernsFeed(event));
}
