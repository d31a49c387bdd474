import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Routes, StreamEvent } from '../contract/index.ts';
import { addressOf, ask } from './ask.ts';
import type { AnswerOf, CallOf, QueryOf, Route } from './ask.ts';
import { Loadable } from './loadable.ts';
import type { Concern, Loaded } from './loadable.ts';
import { rowsOf, withNextPage, withOlderRows } from './merge.ts';
import type { Rows } from './merge.ts';
import { linkState, onStreamEvent } from './stream.ts';
import { trusted } from './trusted.ts';

/** Answers that no page shows any more. */
const LEAST_RECENT = 60;
const cache = new Map<string, Loadable<unknown>>();

/** Returns what an address loads; the same for all pages of the tab. */
function cached<Value>(key: string, read: (before: Value | undefined) => Promise<Value>): Loadable<Value> {
  const known = cache.get(key);
  const found = known ?? trusted<Loadable<unknown>>(new Loadable(read));
  cache.delete(key);
  cache.set(key, found);
  if (cache.size > LEAST_RECENT)
    for (const [old, loadable] of cache) {
      if (cache.size <= LEAST_RECENT) break;
      if (!loadable.isUsed) cache.delete(old);
    }
  // A key names its route, and with it the type of the answer.
  return trusted(found);
}

/** Position of the stream from which on nothing is missing; `ready` of a later connection continues there. */
let hasStarted = false;

function hear(event: StreamEvent): void {
  if (event.type === 'beat' || (event.type === 'ready' && hasStarted)) return;
  if (event.type === 'ready') hasStarted = true;
  for (const loadable of cache.values()) loadable.hear(event);
}
onStreamEvent(hear);

// After a loss, what failed meanwhile is loaded again.
effect(() => {
  if (linkState.value === 'open')
    for (const loadable of cache.values()) if (loadable.state.peek().error !== null) loadable.invalidate();
});

/** Loads again what pages show of the routes that begin so, such as `/sessions`; call it after a change. */
export function invalidate(...prefixes: readonly string[]): void {
  for (const [key, loadable] of cache)
    if (prefixes.some((prefix) => key.includes(`/api/v1${prefix}`))) loadable.invalidate();
}

/** Forgets every answer, for another user. */
export function forgetAnswers(): void {
  cache.clear();
  hasStarted = false;
}

const NEVER: Concern = () => false;

/** Loads, loads again after events, and shows the last data of another address until the new ones are here. */
function useLoadable<Value>(loadable: Loadable<Value>, concern: Concern): Loaded<Value> & { reload: () => void } {
  const last = useRef<Loaded<Value> | null>(null);
  const current = useRef(concern);
  current.current = concern;
  useEffect(() => loadable.use((event) => current.current(event)), [loadable]);
  const state = loadable.state.value;
  if (state.data !== undefined) last.current = state;
  const shown =
    state.data === undefined && last.current !== null
      ? { ...state, data: last.current.data, loadedAt: last.current.loadedAt }
      : state;
  return { ...shown, reload: () => void loadable.load() };
}

/** Returns what a page reads by several requests, with the state that it may change (`set`). `key` names it: what has the same key is read once. */
export function useReading<Value>(
  key: string,
  read: (before: Value | undefined) => Promise<Value>,
  concern: Concern = NEVER,
): Loaded<Value> & { readonly reload: () => void; readonly reading: Loadable<Value> } {
  const reading = cached(`reading ${key}`, read);
  return { ...useLoadable(reading, concern), reading };
}

/** Returns the answer of a route as it loads and changes. `concern`: events after which it is loaded again. */
export function useResource<Name extends Route>(
  route: Name,
  call: CallOf<Name>,
  concern: Concern = NEVER,
): Loaded<AnswerOf<Name>> & { readonly reload: () => void } {
  const { path, query }: { path?: object | undefined; query?: object | undefined } = call;
  const key = `${route} ${addressOf(route, { ...path }, { ...query })}`;
  return useLoadable(
    cached(key, () => ask(route, call)),
    concern,
  );
}

/** Routes that answer pages of rows. */
export type ListRoute = {
  [Name in Route]: AnswerOf<Name> extends {
    data: readonly unknown[];
    pagination: Routes['GET /sessions']['answer']['pagination'];
  }
    ? Name extends `GET ${string}`
      ? Name
      : never
    : never;
}[Route];
export type RowOf<Name extends ListRoute> = AnswerOf<Name>['data'][number];

/** Rows of a list with the last answer about the newest of them, for what it has beside rows, such as counts. */
type Listed<Name extends ListRoute> = Rows<RowOf<Name>> & { readonly answer: AnswerOf<Name> };

/** Pages to read until the newest rows meet those that were read before. */
const MOST_PAGES = 5;

export interface List<Name extends ListRoute> extends Loaded<Listed<Name>> {
  readonly items: readonly RowOf<Name>[];
  readonly reload: () => void;
  /** Loads the next page; does nothing at the end. */
  readonly more: () => void;
}

/**
 * Returns the rows of a list route, read page by page. After an event that concerns it the newest rows are read again, and the older ones stay.
 * `idOf` returns what identifies a row.
 */
export function useList<Name extends ListRoute>(
  route: Name,
  given: { readonly path?: Routes[Name]['path']; readonly query?: QueryOf<Name> },
  idOf: (item: RowOf<Name>) => string,
  concern: Concern = NEVER,
): List<Name> {
  type Item = RowOf<Name>;
  const { path, query } = given;
  const page = async (next: Readonly<Record<string, unknown>>): Promise<Listed<Name>> => {
    // Rows and parameters are those of the route; the next page has its parameters, too.
    const call = trusted<CallOf<Name>>({ path: path ?? undefined, query: { ...query, ...next } });
    const answer = await ask(route, call);
    return { ...rowsOf<Item>(answer), answer };
  };
  const read = async (before: Listed<Name> | undefined): Promise<Listed<Name>> => {
    const { answer, ...first } = await page({});
    let newest: Rows<Item> = first;
    if (before === undefined) return { ...newest, answer };
    for (let pages = 1; pages < MOST_PAGES; pages += 1) {
      const merged = withOlderRows(newest, before, idOf);
      if (merged !== null || newest.next === null) return { ...(merged ?? newest), answer };
      newest = withNextPage(newest, await page(newest.next), idOf);
    }
    return { ...(withOlderRows(newest, before, idOf) ?? newest), answer };
  };
  const loadable = cached(`list ${addressOf(route, { ...path }, { ...query })}`, read);
  const shown = useLoadable(loadable, concern);
  const isReading = useRef(false);
  const more = (): void => {
    const rows = loadable.state.value.data;
    if (rows === undefined || rows.next === null || isReading.current) return;
    isReading.current = true;
    page(rows.next)
      .then((next) => {
        const { answer, ...known } = loadable.state.value.data ?? rows;
        loadable.set({ ...withNextPage(known, next, idOf), answer });
      })
      // The rows stay, with the error and the button that loads them again.
      .catch(() => loadable.load())
      .finally(() => {
        isReading.current = false;
      });
  };
  return { ...shown, items: shown.data?.items ?? [], more };
}
