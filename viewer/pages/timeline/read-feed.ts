import { useRef } from 'preact/hooks';
import { ask } from '../../link/ask.ts';
import type { QueryOf } from '../../link/ask.ts';
import type { Loaded } from '../../link/loadable.ts';
import { useReading } from '../../link/resource.ts';
import type { StreamEvent } from '../../contract/index.ts';
import { withNewer, withOlder } from './feed.ts';
import type { Items } from './feed.ts';

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

export interface FeedReading extends Loaded<Items> {
  readonly reload: () => void;
  /** Reads older items; does nothing at the end. */
  readonly more: () => void;
}

/** Returns what happened, newest first, as it is read and grows; without `until`, live. */
export function useFeed(filters: FeedFilters): FeedReading {
  const page = (cursor?: string) => ask('GET /feed', { query: { ...filters, limit: PAGE_ITEMS, cursor } });
  const first = async (): Promise<Items> => {
    const { data: items, older, newer } = await page();
    return { items, older, newer };
  };
  const read = async (before: Items | undefined): Promise<Items> => {
    if (before === undefined || before.newer === null) return first();
    let items = before;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const newer = await page(items.newer ?? undefined);
      items = withNewer(items, newer);
      if (!newer.has_newer) return items;
    }
    return first();
  };
  const isLive = filters.until === undefined;
  const loaded = useReading(`feed ${JSON.stringify(filters)}`, read, ({ type }) => isLive && CHANGES.has(type));
  const { reading } = loaded;
  const isReading = useRef(false);
  const more = (): void => {
    const older = reading.state.peek().data?.older ?? null;
    if (older === null || isReading.current) return;
    isReading.current = true;
    page(older)
      .then((next) => {
        const items = reading.state.peek().data;
        if (items !== undefined) reading.set(withOlder(items, next));
      })
      // The items stay, with the error and the button that loads them again.
      .catch(() => reading.load())
      .finally(() => {
        isReading.current = false;
      });
  };
  return { ...loaded, more };
}
