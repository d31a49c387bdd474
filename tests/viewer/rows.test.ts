import { describe, expect, test } from 'vitest';
import { readAgain, rowsOf, withNextPage, withOlderRows } from '../../viewer/link/merge.ts';
import type { Rows } from '../../viewer/link/merge.ts';
import { RowHeights, placeAt, scrollTo, shownRows } from '../../viewer/parts/row-heights.ts';

const keysOf = (count: number, first = 0) => Array.from({ length: count }, (_, index) => `row-${first + index}`);

describe('heights of rows', () => {
  test('agree with sums of all heights, for estimated and measured rows', () => {
    const keys = keysOf(1_000);
    const heights = new RowHeights(keys, 40, new Map());
    const plain = keys.map(() => 40);
    for (const index of [0, 1, 17, 512, 513, 998, 999]) {
      plain[index] = 41 + index;
      expect(heights.measure(index, 41 + index)).toBe(1 + index);
      expect(heights.measure(index, 41 + index)).toBe(0);
    }
    let top = 0;
    for (const [index, height] of plain.entries()) {
      expect(heights.top(index)).toBe(top);
      expect(heights.at(top)).toBe(index);
      expect(heights.at(top + height - 1)).toBe(index);
      top += height;
    }
    expect(heights.total).toBe(top);
    expect(heights.at(top + 5_000)).toBe(999);
    expect(new RowHeights([], 40, new Map()).at(0)).toBe(0);
  });

  test('render few of 100,000 rows, at every place', () => {
    const heights = new RowHeights(keysOf(100_000), 40, new Map());
    for (const scroll of [0, 1, 2_000_000, 3_999_000, 9_000_000]) {
      const { from, to } = shownRows(heights, 100_000, scroll, 900);
      expect(to - from).toBeLessThanOrEqual(80);
      expect(heights.top(from)).toBeLessThanOrEqual(scroll);
      expect(heights.top(to)).toBeGreaterThanOrEqual(Math.min(scroll + 900, heights.total));
    }
    expect(shownRows(heights, 0, 0, 900)).toEqual({ from: 0, to: 0 });
  });

  test('return to the place of the reader when rows come above, and stay at the top otherwise', () => {
    const measured = new Map<string, number>();
    const before = new RowHeights(keysOf(100), 40, measured);
    before.measure(3, 100);
    const place = placeAt(before, keysOf(100), before.top(10) + 7);
    expect(place).toEqual({ key: 'row-10', offset: 7 });
    const keys = [...keysOf(25, 1_000), ...keysOf(100)];
    const after = new RowHeights(keys, 40, measured);
    expect(place && scrollTo(after, keys, place)).toBe(before.top(10) + 7 + 25 * 40);
    expect(place && scrollTo(after, keysOf(5), place)).toBeNull();
    expect(placeAt(before, keysOf(100), 0)).toBeNull();
  });
});

describe('rows of a list that is read page by page', () => {
  interface Item {
    readonly id: string;
  }
  const idOf = (item: Item) => item.id;
  const page = (ids: readonly string[], next: Rows<Item>['next'] = { cursor: 'n' }): Rows<Item> => ({
    items: ids.map((id) => ({ id })),
    total: 9,
    next,
  });
  const idsIn = (rows: Rows<Item> | null) => rows?.items.map(idOf).join('') ?? null;

  test('name the next page by its cursor, else by its number', () => {
    const pagination = { page: 2, limit: 2, total: 9, total_pages: 5, has_next: true, has_prev: true };
    expect(rowsOf({ data: [], pagination: { ...pagination, next_cursor: 'x' } }).next).toEqual({ cursor: 'x' });
    expect(rowsOf({ data: [], pagination: { ...pagination, next_cursor: null } }).next).toEqual({ page: 3 });
    expect(rowsOf({ data: [], pagination: { ...pagination, next_cursor: null, has_next: false } }).next).toBeNull();
  });

  test.each([
    ['new rows above', 'xab', 'abcd', 'xabcd'],
    ['a row that moved up', 'cab', 'abcd', 'cabd'],
    ['a deleted row', 'bc', 'abcd', 'bcd'],
    ['a shorter list before', 'abc', 'ab', 'abc'],
    ['missing rows between', 'xyz', 'abcd', null],
  ])('merge the newest rows with older ones: %s', (_, newest, before, merged) => {
    expect(idsIn(withOlderRows(page(newest.split('')), page(before.split('')), idOf))).toBe(merged);
  });

  test('end with the newest rows if these are all', () => {
    expect(idsIn(withOlderRows(page(['a'], null), page('abcd'.split('')), idOf))).toBe('a');
  });

  test('contain a row once that moved to the next page', () => {
    const merged = withNextPage(page('abc'.split('')), page('cde'.split(''), null), idOf);
    expect([idsIn(merged), merged.next]).toEqual(['abcde', null]);
  });

  test('keep the number of the first page, since a page behind a cursor is not counted', () => {
    expect(withNextPage(page(['a']), { ...page(['b']), total: null }, idOf).total).toBe(9);
    expect(withNextPage(page(['a']), { ...page(['b']), total: 10 }, idOf).total).toBe(10);
  });

  describe('when they are read again', () => {
    /** Pages of two rows of a list, and how many were requested. */
    const source = (all: string) => {
      const requested: string[] = [];
      const read = (next: Readonly<Record<string, unknown>>): Promise<Rows<Item>> => {
        const at = Number(next['cursor'] ?? 0);
        requested.push(all.slice(at, at + 2));
        return Promise.resolve(page(all.slice(at, at + 2).split(''), at + 2 < all.length ? { cursor: at + 2 } : null));
      };
      return { read, requested };
    };

    test.each([
      ['end where they meet the rows read before, after an event', 'xabcdef', 'abcd', false, 'xa', 'xabcd'],
      ['are as many as shown, after a change', 'abcdef', 'abcd', true, 'ab cd', 'abcd'],
      ['leave out what was deleted further down', 'abdef', 'abcd', true, 'ab de', 'abde'],
      ['are five pages at most', 'abcdefghijklmnop', 'abcdefghijklmn', true, 'ab cd ef gh ij', 'abcdefghijklmn'],
    ])('%s', async (_, all, before, isChanged, requests, ids) => {
      const { read, requested } = source(all);
      const rows = await readAgain(read, page(before.split('')), isChanged, idOf);
      expect([requested.join(' '), idsIn(rows)]).toEqual([requests, ids]);
    });
  });
});
