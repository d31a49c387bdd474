import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Learning } from '../../contract/index.ts';
import { may } from '../../link/me.ts';
import { readAtOf, useList } from '../../link/pages.ts';
import { addressOfLearning } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { Empty, LoadedView, NoMatch } from '../../parts/states.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { navigate, useQuery } from '../../router/router.ts';
import { useKeys } from '../../shell/keys.ts';
import { inLanguage } from '../../texts/language.ts';
import { invalidateLearning, mayChange, mayVerify, pending, undoLast, verify } from './changes.ts';
import { CorrectDialog } from './correct-dialog.tsx';
import { ReasonDialog, ReopenDialog } from './dialogs.tsx';
import { FilterFields } from './filter-fields.tsx';
import { FILTERS, concernsLearnings, isListed, queryOf, titleOf } from './filters.ts';
import { ChangeFaults, Evidence, Facts } from './parts.tsx';
import { changedRows } from './pending.ts';
import { MOST_SELECTED, SelectionBar } from './selection.tsx';
import { texts } from './texts.ts';

const ROW_PX = 150;
const PAGE_ROWS = 50;
const QUOTES = 2;
const NOTHING = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, undefined]));

const idOf = ({ id }: Learning): string => id;

interface RowProps {
  readonly learning: Learning;
  readonly isSelected: boolean;
  readonly onSelect: () => void;
  readonly onInvalidate: () => void;
  readonly onCorrect: () => void;
  readonly onReopen: () => void;
}

/** The claim beside its quotes, with what a reviewer does. */
function LearningRow({ learning, isSelected, onSelect, onInvalidate, onCorrect, onReopen }: RowProps): JSX.Element {
  const t = inLanguage(texts);
  const isOpen = learning.valid_to === null;
  return (
    <article class="learning-row">
      <div class="claim">
        <div class="line">
          {may('write') && isOpen ? (
            <input type="checkbox" aria-label={t.select(titleOf(learning))} checked={isSelected} onChange={onSelect} />
          ) : null}
          <a href={addressOfLearning(learning.id)} class="title">
            <Text text={titleOf(learning)} />
          </a>
        </div>
        {learning.description === titleOf(learning) ? null : (
          <p class="clamped">
            <Text text={learning.description} />
          </p>
        )}
        <Facts of={learning} />
        {isOpen ? (
          <p class="line actions">
            {mayVerify() && !learning.verified ? (
              <button type="button" onClick={() => void verify(learning)}>
                {t.verify}
              </button>
            ) : null}
            {mayChange(learning) ? (
              <>
                <button type="button" onClick={onCorrect}>
                  {t.correct}
                </button>
                <button type="button" onClick={onInvalidate}>
                  {t.invalidate}
                </button>
              </>
            ) : null}
          </p>
        ) : mayChange(learning) ? (
          <p class="line actions">
            <button type="button" onClick={onReopen}>
              {t.reopen}
            </button>
          </p>
        ) : null}
      </div>
      <Evidence of={learning} most={QUOTES} />
    </article>
  );
}

/** Learnings to review, and all others by their filters. */
export default function LearningsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [filters, change] = useQuery(FILTERS);
  const list = useList('GET /learnings', { query: { ...queryOf(filters), limit: PAGE_ROWS } }, idOf, concernsLearnings);
  const rows = changedRows(list.items, pending.value, readAtOf, (learning) => isListed(learning, filters));
  // Rows that were changed and left the list are no longer in its number.
  const total =
    list.data === undefined || list.data.total === null ? null : list.data.total - list.items.length + rows.length;
  const [selection, setSelection] = useState<ReadonlySet<string>>(new Set());
  const selected = rows.filter(({ id, valid_to: closed }) => selection.has(id) && closed === null);
  const [dialog, setDialog] = useState<{
    readonly kind: 'correct' | 'invalidate' | 'reopen';
    readonly learning: Learning;
  } | null>(null);
  const active = useRef<Learning | null>(null);
  const select = ({ id }: Learning): void =>
    setSelection((before) => {
      const next = new Set(before);
      if (!next.delete(id) && next.size < MOST_SELECTED) next.add(id);
      return next;
    });
  const keys = useMemo(() => {
    const onActive = (run: (learning: Learning) => void) => () => {
      const learning = active.current;
      if (learning !== null && learning.valid_to === null) run(learning);
    };
    const open = (kind: 'correct' | 'invalidate') =>
      onActive((learning) => {
        if (mayChange(learning)) setDialog({ kind, learning });
      });
    if (!may('write')) return {};
    return {
      ...(mayVerify() ? { v: { text: t.verifyKey, run: onActive((learning) => void verify(learning)) } } : {}),
      x: { text: t.invalidateKey, run: open('invalidate') },
      c: { text: t.correctKey, run: open('correct') },
      m: { text: t.markKey, run: onActive(select) },
      u: { text: t.undoKey, run: undoLast },
    };
  }, [t]);
  useKeys(keys);
  const { sort: _, state, ...narrowing } = filters;
  const isFiltered = Object.values(narrowing).some((value) => value !== undefined);
  return (
    <div class="page list-page review">
      <header class="line">
        <h1>{t.title}</h1>
        {total === null ? null : <span role="status">{t.count(total)}</span>}
      </header>
      <FilterFields />
      {selected.length === 0 ? null : (
        <SelectionBar
          selected={selected}
          loaded={rows.filter(({ valid_to: closed }) => closed === null)}
          onSelect={(ids) => setSelection(new Set(ids))}
        />
      )}
      <ChangeFaults />
      <LoadedView of={list}>
        {() =>
          rows.length > 0 ? (
            <VirtualList
              label={t.title}
              items={rows}
              total={total}
              keyOf={idOf}
              estimate={ROW_PX}
              row={(learning) => (
                <LearningRow
                  learning={learning}
                  isSelected={selection.has(learning.id)}
                  onSelect={() => select(learning)}
                  onInvalidate={() => setDialog({ kind: 'invalidate', learning })}
                  onCorrect={() => setDialog({ kind: 'correct', learning })}
                  onReopen={() => setDialog({ kind: 'reopen', learning })}
                />
              )}
              onOpen={(learning) => navigate(addressOfLearning(learning.id))}
              onActive={(learning) => {
                active.current = learning;
              }}
              onEnd={list.more}
            />
          ) : isFiltered ? (
            <NoMatch title={t.noMatch} onClear={() => change({ ...NOTHING, state })} />
          ) : state === undefined ? (
            <Empty title={t.empty} command='recollect remember "…"'>
              <p>
                {t.allVerified} <a href="/learnings?state=current">{t.showCurrentOnes}</a>
              </p>
              <p>{t.emptyHint}</p>
            </Empty>
          ) : (
            <Empty title={t.emptyAll} command='recollect remember "…"'>
              <p>{t.emptyHint}</p>
            </Empty>
          )
        }
      </LoadedView>
      {dialog?.kind === 'invalidate' ? (
        <ReasonDialog
          title={t.invalidateTitle(1)}
          why={t.invalidateWhy}
          action={t.invalidate}
          isDangerous
          onReason={async (reason) => {
            // Shown at once: an error is above the list, with the row again in it.
            void invalidateLearning(dialog.learning, reason);
          }}
          onClose={() => setDialog(null)}
        />
      ) : null}
      {dialog?.kind === 'reopen' ? <ReopenDialog learning={dialog.learning} onClose={() => setDialog(null)} /> : null}
      {dialog?.kind === 'correct' ? (
        <CorrectDialog learning={dialog.learning} onCurrent={() => undefined} onClose={() => setDialog(null)} />
      ) : null}
    </div>
  );
}
