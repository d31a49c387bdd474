import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { useKeys } from '../shell/keys.ts';
import { RowHeights, placeAt, scrollTo, shownRows } from './row-heights.ts';
import type { ReadingPlace } from './row-heights.ts';

export interface VirtualListProps<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  /** Content of a row, once it is near the viewport. */
  readonly row: (item: Item) => ComponentChildren;
  /** Estimated height of a row in px. */
  readonly estimate: number;
  readonly label: string;
  /** Opens a row: Enter, or a press of it. */
  readonly onOpen?: (item: Item) => void;
  /** Further keys of the active row. Pass keys that change rarely (`useMemo`). */
  readonly rowKeys?: Readonly<Record<string, { readonly text: string; readonly run: (item: Item) => void }>>;
  /** A row was selected, by key or because something in it has the focus; null: the list has no rows. */
  readonly onActive?: (item: Item | null) => void;
  /** The end is near. */
  readonly onEnd?: () => void;
  /** The start is near, and rows before it may be loaded. */
  readonly onStart?: () => void;
  /** Number of all rows, if more than the loaded ones; `UNCOUNTED` until it is known. */
  readonly total?: number | null;
  /** Key of the row to show first, once it is loaded, such as that of the address. */
  readonly focus?: string | null;
  /** Rows that n and p go to, with the texts of these keys. */
  readonly leap?: { readonly to: (item: Item) => boolean; readonly next: string; readonly previous: string };
}

/** The number of all rows, before it is known: WAI-ARIA 1.2, aria-setsize. */
export const UNCOUNTED = -1;

/** Height of what stays visible above the row that is shown first, in px. */
const ABOVE_FOCUS_PX = 80;

/** Rows of a print: a longer list is a matter for an export. */
const MOST_PRINTED = 5_000;

/** Whether the page is being printed: then all rows are rendered. */
function useIsPrinting(): boolean {
  const [isPrinting, setIsPrinting] = useState(false);
  useEffect(() => {
    const media = matchMedia('print');
    const change = (): void => setIsPrinting(media.matches);
    media.addEventListener('change', change);
    return () => media.removeEventListener('change', change);
  }, []);
  return isPrinting;
}

/** A list that renders the rows near the viewport only. New rows above do not move what the reader sees; j, k and Enter select and open. */
export function VirtualList<Item>(props: VirtualListProps<Item>): JSX.Element {
  const {
    items,
    keyOf,
    row,
    estimate,
    label,
    onOpen,
    onActive,
    onEnd,
    onStart,
    total,
    focus = null,
    leap,
    rowKeys,
  } = props;
  const t = inLanguage(common);
  const scroller = useRef<HTMLDivElement>(null);
  const measured = useRef(new Map<string, number>());
  const place = useRef<ReadingPlace | null>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewport, setViewport] = useState(800);
  const [active, setActive] = useState<string | null>(null);
  const activeIndex = useRef(0);
  const [, setMeasuredAt] = useState(0);
  const isPrinting = useIsPrinting();
  const keys = useMemo(() => items.map(keyOf), [items]);
  const heights = useMemo(() => new RowHeights(keys, estimate, measured.current), [keys, estimate]);
  const { from, to } = isPrinting
    ? { from: 0, to: Math.min(MOST_PRINTED, items.length) }
    : shownRows(heights, items.length, scrollTop, viewport);

  const state = useRef({ keys, active, heights, items, onOpen, leap });
  state.current = { keys, active, heights, items, onOpen, leap };
  // Known at once: the next key may come before the list is drawn.
  const activate = (key: string | null): void => {
    state.current = { ...state.current, active: key };
    setActive(key);
  };

  // Rows above changed: the row that the reader sees stays where it is.
  useLayoutEffect(() => {
    const box = scroller.current;
    const restored = place.current === null ? null : scrollTo(heights, keys, place.current);
    if (box === null || restored === null || Math.abs(restored - box.scrollTop) < 1) return;
    box.scrollTop = restored;
    setScrollTop(restored);
  }, [heights]);

  const focused = useRef<string | null>(null);
  useLayoutEffect(() => {
    const box = scroller.current;
    const index = focus === null || focused.current === focus ? -1 : keys.indexOf(focus);
    if (box === null || index === -1) return;
    focused.current = focus;
    box.scrollTop = Math.max(0, heights.top(index) - ABOVE_FOCUS_PX);
    setScrollTop(box.scrollTop);
    activate(focus);
  }, [heights, focus]);

  useEffect(() => {
    const box = scroller.current;
    if (box === null) return undefined;
    const observer = new ResizeObserver(() => setViewport(box.clientHeight));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  // Heights of rendered rows; those above the viewport move it.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null || isPrinting) return;
    let isChanged = false;
    let above = 0;
    for (const element of box.querySelectorAll<HTMLElement>('[data-index]')) {
      const index = Number(element.dataset['index']);
      const wasAbove = heights.top(index) < box.scrollTop;
      const difference = heights.measure(index, element.offsetHeight);
      if (difference === 0) continue;
      isChanged = true;
      if (wasAbove) above += difference;
    }
    if (above !== 0) box.scrollTop += above;
    if (isChanged) setMeasuredAt((count) => count + 1);
  });

  useEffect(() => {
    if (onEnd !== undefined && items.length > 0 && to >= items.length - 5) onEnd();
  }, [to, items.length, onEnd]);

  const isAtStart = from < 5 && (focus === null || focused.current === focus);
  useEffect(() => {
    if (onStart !== undefined && items.length > 0 && isAtStart) onStart();
  }, [isAtStart, items.length, onStart]);

  const show = (box: HTMLElement, next: number): void => {
    const { keys, heights } = state.current;
    const top = heights.top(next);
    const bottom = heights.top(next + 1);
    // Of a row that is higher than the viewport, its start.
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = Math.min(top, bottom - box.clientHeight);
    activate(keys[next] ?? null);
  };
  const step = (by: number): void => {
    const { keys, active, heights } = state.current;
    const box = scroller.current;
    if (box === null || keys.length === 0) return;
    const at = active === null ? -1 : keys.indexOf(active);
    show(box, at === -1 ? heights.at(box.scrollTop) : Math.max(0, Math.min(keys.length - 1, at + by)));
  };
  const leapBy = (by: number): void => {
    const { keys, active, heights, items, leap } = state.current;
    const box = scroller.current;
    if (box === null || leap === undefined) return;
    const at = active === null ? -1 : keys.indexOf(active);
    for (let next = (at === -1 ? heights.at(box.scrollTop) - by : at) + by; next in items; next += by) {
      const item = items[next];
      if (item !== undefined && leap.to(item)) {
        show(box, next);
        return;
      }
    }
  };
  const withActive = (run: ((item: Item) => void) | undefined): void => {
    const { items, keys, active } = state.current;
    const item = active === null ? undefined : items[keys.indexOf(active)];
    if (item !== undefined) run?.(item);
  };
  const actions = useMemo(
    () => ({
      j: { text: t.nextKey, run: () => step(1) },
      k: { text: t.previousKey, run: () => step(-1) },
      ...(onOpen === undefined ? {} : { Enter: { text: t.openKey, run: () => withActive(state.current.onOpen) } }),
      ...(leap === undefined
        ? {}
        : {
            n: { text: leap.next, run: () => leapBy(1) },
            p: { text: leap.previous, run: () => leapBy(-1) },
          }),
      ...Object.fromEntries(
        Object.entries(rowKeys ?? {}).map(([key, { text, run }]) => [key, { text, run: () => withActive(run) }]),
      ),
    }),
    [t, onOpen === undefined, leap?.next, rowKeys],
  );
  useKeys(actions);

  // The active row, or something in it, has the focus, also after it was rendered again. Before the next key, as what follows.
  useLayoutEffect(() => {
    if (active === null) return;
    const element = scroller.current?.querySelector<HTMLElement>('[data-active]');
    if (element?.contains(document.activeElement) === false) element.focus({ preventScroll: true });
  }, [active]);

  // The row after a removed one is active in its place.
  useLayoutEffect(() => {
    const at = active === null ? -1 : keys.indexOf(active);
    if (at !== -1) activeIndex.current = at;
    else if (active !== null) activate(keys[Math.min(activeIndex.current, keys.length - 1)] ?? null);
    onActive?.(items[at] ?? null);
  }, [active, keys]);

  const onScroll = (): void => {
    const box = scroller.current;
    if (box === null) return;
    // Where earlier rows may come above, the first one stays where it is, too.
    const least = onStart === undefined ? 0 : 1;
    place.current = placeAt(heights, keys, Math.max(least, box.scrollTop));
    setScrollTop(box.scrollTop);
  };
  const onFocusIn = ({ target }: FocusEvent): void => {
    const element = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
    if (element !== null) activate(keys[Number(element.dataset['index'])] ?? null);
  };
  return (
    <div
      class="scroller"
      ref={scroller}
      onScroll={onScroll}
      onFocusCapture={onFocusIn}
      role="group"
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- WCAG 2.1.1: what scrolls can be scrolled by keyboard
      tabIndex={0}
    >
      <div class="rows" role="list" style={{ height: isPrinting ? 'auto' : `${heights.total}px` }}>
        <div
          class="rows-shown"
          role="presentation"
          style={{ transform: `translateY(${isPrinting ? 0 : heights.top(from)}px)` }}
        >
          {items.slice(from, to).map((item, offset) => {
            const index = from + offset;
            const key = keys[index] ?? '';
            return (
              <div
                key={key}
                class={key === active ? 'row active' : 'row'}
                role="listitem"
                data-index={index}
                {...(key === active ? { 'data-active': '' } : {})}
                aria-setsize={total ?? items.length}
                aria-posinset={index + 1}
                tabIndex={-1}
              >
                {row(item)}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
