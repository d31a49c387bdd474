/** Rows of a list that is read page by page, newest first. */
export interface Rows<Item> {
  readonly items: readonly Item[];
  /** Number of all rows; null of a page behind a cursor, which is not counted. */
  readonly total: number | null;
  /** Query parameters of the next page; null at the end. */
  readonly next: Readonly<Record<string, unknown>> | null;
}

/** Of an answer; lists of the newest rows have a cursor only. */
interface Pagination {
  readonly page?: number;
  readonly total?: number | null;
  readonly has_next?: boolean;
  readonly next_cursor: string | null;
}

/** Returns the rows of one page of an answer. */
export function rowsOf<Item>(answer: { readonly data: readonly Item[]; readonly pagination: Pagination }): Rows<Item> {
  const { data, pagination } = answer;
  const { page = 1, total = null, has_next: hasNext = false, next_cursor: cursor } = pagination;
  return { items: data, total, next: cursor !== null ? { cursor } : hasNext ? { page: page + 1 } : null };
}

/** Rows that the start of a page may repeat. */
const MOST_MOVED = 200;

/** Returns rows with those of the next page after them. Rows that moved over the border between the requests come once. */
export function withNextPage<Item>(rows: Rows<Item>, page: Rows<Item>, idOf: (item: Item) => string): Rows<Item> {
  const known = new Set(rows.items.slice(-MOST_MOVED).map(idOf));
  return {
    total: page.total ?? rows.total,
    next: page.next,
    items: [...rows.items, ...page.items.filter((item) => !known.has(idOf(item)))],
  };
}

/**
 * Returns the newest rows with the older ones that were read before, so that a reader far down stays there; null if rows between the two are
 * missing: then read the next page, too.
 */
export function withOlderRows<Item>(
  newest: Rows<Item>,
  before: Rows<Item>,
  idOf: (item: Item) => string,
): Rows<Item> | null {
  if (newest.next === null || before.items.length <= newest.items.length) return newest;
  const last = newest.items.at(-1);
  const place = last === undefined ? -1 : before.items.findIndex((item) => idOf(item) === idOf(last));
  if (place === -1) return null;
  const known = new Set(newest.items.map(idOf));
  const older = before.items.slice(place + 1).filter((item) => !known.has(idOf(item)));
  return { items: [...newest.items, ...older], total: newest.total, next: before.next };
}

/** Pages to read again at most; older rows stay as they were read. */
const MOST_PAGES = 5;

/**
 * Reads the newest rows until they meet those that were read before; `isChanged`: as many as are shown, since the page changed some of them. What an
 * answer has beside rows is that of the newest page.
 */
export async function readAgain<Item, Read extends Rows<Item>>(
  page: (next: Readonly<Record<string, unknown>>) => Promise<Read>,
  before: Read | undefined,
  isChanged: boolean,
  idOf: (item: Item) => string,
): Promise<Read> {
  const first = await page({});
  if (before === undefined) return first;
  let newest: Rows<Item> = first;
  for (let pages = 1; pages < MOST_PAGES && newest.next !== null; pages += 1) {
    const isEnough = isChanged
      ? newest.items.length >= before.items.length
      : withOlderRows(newest, before, idOf) !== null;
    if (isEnough) break;
    newest = withNextPage(newest, await page(newest.next), idOf);
  }
  return { ...first, ...(withOlderRows(newest, before, idOf) ?? newest) };
}
