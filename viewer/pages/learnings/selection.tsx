import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Learning } from '../../contract/index.ts';
import { inLanguage } from '../../texts/language.ts';
import { changeMany, mayVerify } from './changes.ts';
import { ReasonDialog } from './dialogs.tsx';
import { texts } from './texts.ts';

/** Learnings of one request. */
export const MOST_SELECTED = 100;

/** Changes of the selected learnings. Those that may not be changed are rejected one by one. */
export function SelectionBar(props: {
  readonly selected: readonly Learning[];
  /** That can be selected at once. */
  readonly loaded: readonly Learning[];
  readonly onSelect: (ids: readonly string[]) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const [isAsking, setIsAsking] = useState(false);
  const ids = props.selected.map(({ id }) => id);
  // Undone, all of them are unverified: those that were verified before are none of them.
  const unverified = props.selected.filter(({ verified }) => !verified).map(({ id }) => id);
  const most = props.loaded.slice(0, MOST_SELECTED);
  const run = async (batch: Parameters<typeof changeMany>[0]): Promise<void> => {
    if (await changeMany(batch)) props.onSelect([]);
  };
  return (
    <div class="line selection" role="group" aria-label={t.selected(ids.length)}>
      <span role="status">{t.selected(ids.length)}</span>
      {mayVerify() && unverified.length > 0 ? (
        <button type="button" onClick={() => void run({ action: 'verify', ids: unverified })}>
          {t.verify}
        </button>
      ) : null}
      <button type="button" onClick={() => setIsAsking(true)}>
        {t.invalidate}
      </button>
      <button type="button" onClick={() => void run({ action: 'share', ids })}>
        {t.share}
      </button>
      <button type="button" onClick={() => void run({ action: 'unshare', ids })}>
        {t.unshare}
      </button>
      <button type="button" class="quiet" onClick={() => props.onSelect(most.map(({ id }) => id))}>
        {t.selectLoaded(most.length)}
      </button>
      <button type="button" class="quiet" onClick={() => props.onSelect([])}>
        {t.clearSelection}
      </button>
      {isAsking ? (
        <ReasonDialog
          title={t.invalidateTitle(ids.length)}
          why={t.invalidateWhy}
          action={t.invalidate}
          isDangerous
          onReason={(reason) => run({ action: 'invalidate', ids, reason })}
          onClose={() => setIsAsking(false)}
        />
      ) : null}
    </div>
  );
}
