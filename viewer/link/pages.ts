import { useRef } from 'preact/hooks';
import type { Routes } from '../contract/index.ts';
import { addressOf, ask } from './ask.ts';
import type { AnswerOf, CallOf, QueryOf, Route } from './ask.ts';
import type { Concern, Loaded } from './loadable.ts';
import { readAgain, rowsOf, withNextPage } from './merge.ts';
import type { Rows } from './merge.ts';
import { useReading } from './resource.ts';
import { trusted } from './trusted.ts';

/** Rows of a page, at most, in the API. */
const LARGEST_PAGE = 100;
/** Time in ms of the request that read a row. */
const readAt = new WeakMap<object, number>();

/** Returns when the request of a row began, in ms: what was committed before is in the row. */
export function readAtOf(row: object): number {
  return readAt.get(row) ?? 0;
}

/** Query parameters that name a page; empty for the first one. */
type PageQuery = Readonly<Record<string, unknown>>;

export interface Pages<Item extends object, Read extends Rows<Item>> extends Loaded<Read> {
  readonly items: readonly Item[];
  readonly reload: () => void;
  /** Reads the next page; does nothing at the end, and while an error is shown. */
  readonly more: () => void;
}

/**
 * Returns rows that are read page by page, newest first, and again after events that concern them and changes of the page. `key` names them: what has
 * the same key is read once. `request` reads one page.
 */
export function usePages<Item extends object, Read extends Rows<Item>>(
  key: string,
  request: (next: PageQuery) => Promise<Read>,
  idOf: (item: Item) => string,
  concern?: Concern,
): Pages<Item, Read> {
  const page = async (next: PageQuery): Promise<Read> => {
    const now = Date.now();
    const rows = await request(next);
    for (const row of rows.items) readAt.set(row, now);
    return rows;
  };
  const read = (before: Read | undefined, isChanged: boolean): Promise<Read> =>
    readAgain(page, before, isChanged, idOf);
  const { reading, ...shown } = useReading(key, read, concern);
  const isReading = useRef(false);
  const more = (): void => {
    const { data, error } = reading.state.peek();
    if (data === undefined || data.next === null || error !== null || isReading.current) return;
    isReading.current = true;
    page(data.next)
      .then((next) => {
        const known = reading.state.peek().data ?? data;
        reading.set({ ...known, ...withNextPage(known, next, idOf) });
      })
      // The rows stay, with the error and the button that loads them again.
      .catch((fault: unknown) => reading.fail(fault))
      .finally(() => {
        isReading.current = false;
      });
  };
  return { ...shown, items: shown.data?.items ?? [], more };
}

/** Routes that answer pages of rows. */
export type ListRoute = {
  [Name in Route]: AnswerOf<Name> extends {
    data: readonly unknown[];
    pagination: { readonly next_cursor: string | null };
  }
    ? Name extends `GET ${string}`
      ? Name
      : never
    : never;
}[Route];
export type RowOf<Name extends ListRoute> = AnswerOf<Name>['data'][number];

/** Rows of a list with the last answer about the newest of them, for what it has beside rows, such as counts. */
type Listed<Name extends ListRoute, Item> = Rows<Item> & { readonly answer: AnswerOf<Name> };

/**
 * Returns the rows of a list route. `idOf` returns what identifies a row; `shown` what is stored of one: a list of 100,000 must not hold fields that it
 * does not show.
 */
export function useList<Name extends ListRoute, Item extends object = RowOf<Name>>(
  route: Name,
  given: { readonly path?: Routes[Name]['path']; readonly query?: QueryOf<Name> },
  idOf: (item: Item) => string,
  concern?: Concern,
  shown: (row: RowOf<Name>) => Item = (row) => trusted(row),
): Pages<Item, Listed<Name, Item>> {
  const { path, query } = given;
  const page = async (next: PageQuery): Promise<Listed<Name, Item>> => {
    // The first page is small, to be shown soon. By numbers, all pages have one size.
    const limit = 'cursor' in next ? { limit: LARGEST_PAGE } : {};
    // Rows and parameters are those of the route; the next page has its parameters, too.
    const call = trusted<CallOf<Name>>({ path: path ?? undefined, query: { ...query, ...next, ...limit } });
    const answer = await ask(route, call);
    const rows = rowsOf<RowOf<Name>>(answer);
    return { ...rows, items: rows.items.map(shown), answer };
  };
  return usePages(`list ${addressOf(route, { ...path }, { ...query })}`, page, idOf, concern);
}
