import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { useKeys } from '../shell/keys.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';

/** A list of at most some hundred rows in the flow of the page; j, k and Enter select and open. A longer one is a `VirtualList`. */
export function RowList<Item>(props: {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly row: (item: Item) => ComponentChildren;
  readonly label: string;
  readonly onOpen: (item: Item) => void;
}): JSX.Element {
  const t = inLanguage(common);
  const list = useRef<HTMLUListElement>(null);
  const shown = useRef(props);
  shown.current = props;
  const actions = useMemo(() => {
    const rows = (): HTMLElement[] => [...(list.current?.querySelectorAll<HTMLElement>(':scope > li') ?? [])];
    const focused = (): number => rows().findIndex((row) => row.contains(document.activeElement));
    const step = (by: number): void => {
      const all = rows();
      const at = focused();
      all[at === -1 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]?.focus();
    };
    const open = (): void => {
      const item = shown.current.items[focused()];
      if (item !== undefined) shown.current.onOpen(item);
    };
    return {
      j: { text: t.nextKey, run: () => step(1) },
      k: { text: t.previousKey, run: () => step(-1) },
      Enter: { text: t.openKey, run: open },
    };
  }, [t]);
  useKeys(actions);
  return (
    <ul class="row-list" ref={list} aria-label={props.label}>
      {props.items.map((item) => (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the keys above give it the focus
        <li key={props.keyOf(item)} class="row" tabIndex={-1}>
          {props.row(item)}
        </li>
      ))}
    </ul>
  );
}
