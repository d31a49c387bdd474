/** Items of two sorted lists with one id: left, right, or both. */
export interface Pair<Left, Right> {
  readonly id: string;
  readonly left: Left | null;
  readonly right: Right | null;
}

interface Side<Item> {
  readonly pages: AsyncIterator<readonly Item[]>;
  page: readonly Item[];
  at: number;
  done: boolean;
}

function sideOf<Item>(pages: AsyncIterable<readonly Item[]>): Side<Item> {
  return { pages: pages[Symbol.asyncIterator](), page: [], at: 0, done: false };
}

/** Returns the current item of a side, reading its next page when needed; undefined at the end. */
async function head<Item>(side: Side<Item>): Promise<Item | undefined> {
  while (side.at >= side.page.length && !side.done) {
    const next = await side.pages.next();
    if (next.done === true) side.done = true;
    else {
      side.page = next.value;
      side.at = 0;
    }
  }
  return side.page[side.at];
}

/**
 * Merges two lists in ascending order of their ids and yields groups of at most `size` pairs. Buffers one page of each list, however long
 * the list is.
 */
export async function* mergeSorted<
  Left extends { readonly objectId: string },
  Right extends { readonly objectId: string },
>(
  left: AsyncIterable<readonly Left[]>,
  right: AsyncIterable<readonly Right[]>,
  size: number,
): AsyncGenerator<readonly Pair<Left, Right>[]> {
  const lefts = sideOf(left);
  const rights = sideOf(right);
  let group: Pair<Left, Right>[] = [];
  for (;;) {
    // Awaited only at the end of a page: a million turns of the event loop cost more than the comparison.
    const a = lefts.page[lefts.at] ?? (await head(lefts));
    const b = rights.page[rights.at] ?? (await head(rights));
    if (a === undefined && b === undefined) break;
    const isLeft = a !== undefined && (b === undefined || a.objectId <= b.objectId);
    const isRight = b !== undefined && (a === undefined || b.objectId <= a.objectId);
    group.push({
      id: (isLeft ? a : b)?.objectId ?? '',
      left: isLeft ? a : null,
      right: isRight ? b : null,
    });
    if (isLeft) lefts.at += 1;
    if (isRight) rights.at += 1;
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Yields the pages of a keyset query and prefetches the next one. */
export async function* pagesAhead<Item>(
  read: (after: string | null) => Promise<readonly Item[]>,
  idOf: (item: Item) => string,
  after: string | null,
  size: number,
): AsyncGenerator<readonly Item[]> {
  let reading = read(after);
  for (;;) {
    const page = await reading;
    const last = page.at(-1);
    const more = page.length >= size && last !== undefined;
    if (more) {
      reading = read(idOf(last));
      // If the consumer stops, the prefetch's failure must not become an unhandled rejection.
      reading.catch(() => undefined);
    }
    yield page;
    if (!more) return;
  }
}
