import { effect } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { StreamEvent } from '../contract/index.ts';
import { addressOf, ask } from './ask.ts';
import type { AnswerOf, CallOf, Route } from './ask.ts';
import { Loadable, NOT_LOADED } from './loadable.ts';
import type { Concern, Loaded, Read } from './loadable.ts';
import { linkState, onStreamEvent } from './stream.ts';
import { trusted } from './trusted.ts';

/** Answers that no page shows any more. */
const LEAST_RECENT = 60;
const cache = new Map<string, Loadable<unknown>>();

/** Returns what an address loads; the same for all pages of the tab. */
function cached<Value>(key: string, read: Read<Value>): Loadable<Value> {
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
    if (prefixes.some((prefix) => key.includes(`/api/v1${prefix}`))) loadable.invalidate(true);
}

/** Forgets every answer, for another user. */
export function forgetAnswers(): void {
  cache.clear();
  hasStarted = false;
}

const NEVER: Concern = () => false;

/** Loads, loads again after events, and shows the last data of another address until the new ones are here. */
function useLoadable<Value>(
  loadable: Loadable<Value> | null,
  concern: Concern,
): Loaded<Value> & { reload: () => void } {
  const last = useRef<Loaded<Value> | null>(null);
  const current = useRef(concern);
  current.current = concern;
  // Before the next frame, which an effect awaits.
  useLayoutEffect(() => loadable?.use((event) => current.current(event)), [loadable]);
  const state: Loaded<Value> = loadable?.state.value ?? NOT_LOADED;
  if (state.data !== undefined) last.current = state;
  // Beside an error they would pass for the answer of this address.
  const shown =
    state.data === undefined && state.error === null && last.current !== null
      ? { ...state, data: last.current.data, loadedAt: last.current.loadedAt }
      : state;
  return { ...shown, reload: () => void loadable?.load() };
}

/** Returns what a page reads by several requests, with the state that it may change (`set`). `key` names it: what has the same key is read once. */
export function useReading<Value>(
  key: string,
  read: Read<Value>,
  concern: Concern = NEVER,
): Loaded<Value> & { readonly reload: () => void; readonly reading: Loadable<Value> } {
  const reading = cached(key, read);
  return { ...useLoadable(reading, concern), reading };
}

/** Returns what an answer of a route is loaded by. */
function loadableOf<Name extends Route>(route: Name, call: CallOf<Name>): Loadable<AnswerOf<Name>> {
  const { path, query }: { path?: object | undefined; query?: object | undefined } = call;
  return cached(`${route} ${addressOf(route, { ...path }, { ...query })}`, () => ask(route, call));
}

/** Returns the answer of a route as it loads and changes. `call`: null as long as it is not to be sent. `concern`: events after which it is loaded again. */
export function useResource<Name extends Route>(
  route: Name,
  call: CallOf<Name> | null,
  concern: Concern = NEVER,
): Loaded<AnswerOf<Name>> & { readonly reload: () => void } {
  return useLoadable(call === null ? null : loadableOf(route, call), concern);
}
