import { computed, signal } from '@preact/signals';
import { readQuery, writeQuery } from './query.ts';
import type { StateOf } from './query.ts';

interface Place {
  readonly path: string;
  /** With `?` unless empty. */
  readonly search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });
const place = signal<Place>(here());

/** Path of the address. */
export const path = computed(() => place.value.path);
/** Query of the address, with `?` unless it is empty. */
export const search = computed(() => place.value.search);

addEventListener('popstate', () => {
  place.value = here();
});

/** Shows an address of the viewer. `replace`: without a new step of the history, as for each letter of a filter. */
export function navigate(address: string, { replace = false } = {}): void {
  if (address === `${place.value.path}${place.value.search}`) return;
  const before = place.value.path;
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  place.value = here();
  if (place.value.path !== before) scrollTo(0, 0);
}

/** Handles clicks on links of the viewer; clicks for new tabs and windows, and other links, stay with the browser. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/') || link.hash !== '') return;
  event.preventDefault();
  navigate(`${link.pathname}${link.search}`);
}

/** Returns the filters of the address, and a function that changes some of them. Reading them in a component renders it again at a change. */
export function useQuery<const Given extends object>(
  parameters: Given,
): readonly [StateOf<Given>, (change: Partial<StateOf<Given>>, options?: { readonly replace?: boolean }) => void] {
  const state = readQuery(parameters, search.value);
  return [
    state,
    (change, options) =>
      navigate(
        `${path.peek()}${writeQuery(parameters, { ...readQuery(parameters, search.peek()), ...change })}`,
        options,
      ),
  ];
}
