import { useRef } from 'preact/hooks';
import type { FeedItem, StreamEvent } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import type { QueryOf } from '../../link/ask.ts';
import type { Loaded } from '../../link/loadable.ts';
import { withNextPage, withOlderRows } from '../../link/merge.ts';
import type { Rows } from '../../link/merge.ts';
import { useReading } from '../../link/resource.ts';
import { keyOf } from './feed.ts';

const PAGE_ITEMS = 60;
/** Pages to read until the newest items meet those that were read before. */
const MOST_PAGES = 5;

export type FeedFilters = Pick<QueryOf<'GET /feed'> & object, 'type' | 'project' | 'session' | 'until'>;

const CHANGES: ReadonlySet<StreamEvent['type']> = new Set([
  'session.created',
  'session.updated',
  'observation.added',
  'summary.generated',
  'learning.extracted',
]);

export interface FeedReading extends Loaded<Rows<FeedItem>> {
  readonly reload: () => void;
  /** Reads older items; does nothing at the end. */
  readonly more: () => void;
}

/** Returns what happened, newest first, as it is read and grows; without `until`, live. */
export function useFeed(filters: FeedFilters): FeedReading {
  const page = async (next: Readonly<Record<string, unknown>>): Promise<Rows<FeedItem>> => {
    const { data: items, older } = await ask('GET /feed', { query: { ...filters, limit: PAGE_ITEMS, ...next } });
    return { items, total: null, next: older === null ? null : { cursor: older } };
  };
  // Not from the cursor of newer items: some come late, such as the end of a session, at the time of its last event.
  const read = async (before: Rows<FeedItem> | undefined): Promise<Rows<FeedItem>> => {
    let newest = await page({});
    if (before === undefined) return newest;
    for (let pages = 1; pages < MOST_PAGES; pages += 1) {
      const merged = withOlderRows(newest, before, keyOf);
      if (merged !== null || newest.next === null) return merged ?? newest;
      newest = withNextPage(newest, await page(newest.next), keyOf);
    }
    return newest;
  };
  const isLive = filters.until === undefined;
  const loaded = useReading(`feed ${JSON.stringify(filters)}`, read, ({ type }) => isLive && CHANGES.has(type));
  const { reading } = loaded;
  const isReading = useRef(false);
  const more = (): void => {
    const next = reading.state.peek().data?.next ?? null;
    if (next === null || isReading.current) return;
    isReading.current = true;
    page(next)
      .then((older) => {
        const known = reading.state.peek().data;
        if (known !== undefined) reading.set(withNextPage(known, older, keyOf));
      })
      // The items stay, with the error and the button that loads them again.
      .catch(() => reading.load())
      .finally(() => {
        isReading.current = false;
      });
  };
  return { ...loaded, more };
}
