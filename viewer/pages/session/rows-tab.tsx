import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SessionDetail } from '../../contract/index.ts';
import { useAct } from '../../parts/act.tsx';
import { Select } from '../../parts/fields.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { ForgetEvent } from './forget.tsx';
import { useRows } from './read-rows.ts';
import { Row } from './row.tsx';
import { texts } from './texts.ts';
import { SHOWN, VIEW, isUserPrompt } from './view.ts';
import type { SessionRow } from './view.ts';

const ROW_PX = 110;
const keyOf = ({ seq }: SessionRow): string => String(seq);

/** What was entered, answered and done, in order. `around`: position of the row to show first. */
export function RowsTab(props: {
  readonly session: SessionDetail;
  readonly around: number | null;
  readonly mayChange: boolean;
  readonly isWhole: boolean;
  /** All rows are loaded, for a print. */
  readonly onWhole: () => void;
}): JSX.Element {
  const { session, around, mayChange, isWhole } = props;
  const t = inLanguage(texts);
  const [view, change] = useQuery(VIEW);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [forgotten, setForgotten] = useState<SessionRow | null>(null);
  const act = useAct();
  const rows = useRows({ sessionId: session.id, around, show: view.show, agent: view.agent });
  // A link leads to a quote, which the preview may lack.
  useEffect(() => {
    if (around !== null) setOpen((known) => new Set(known).add(around));
  }, [around]);
  const isFiltered = view.show !== undefined || view.agent !== undefined;
  const toggle = ({ seq }: SessionRow): void => {
    const next = new Set(open);
    if (!next.delete(seq)) next.add(seq);
    setOpen(next);
  };
  return (
    <>
      <div class="filters">
        <Select
          label={t.show}
          any={t.everything}
          value={view.show}
          options={SHOWN.map((value) => ({ value, text: t.shown[value] }))}
          onValue={(show) => change({ show })}
        />
        {session.agents.length === 0 ? null : (
          <Select
            label={t.agent}
            value={view.agent}
            options={session.agents.map(({ id, type, prompts, observations }) => ({
              value: id,
              text: t.agentWith(type ?? id, prompts + observations),
            }))}
            onValue={(agent) => change({ agent })}
          />
        )}
        <button
          type="button"
          class="aligned"
          disabled={act.isRunning}
          onClick={() => act.run(() => rows.readAll().then(props.onWhole))}
        >
          {t.print}
        </button>
      </div>
      {act.note}
      <LoadedView of={rows}>
        {() =>
          rows.rows.length === 0 ? (
            <Empty
              title={
                isFiltered ? t.noMatch : session.counts.prompts + session.counts.observations > 0 ? t.private : t.noRows
              }
            >
              {!isFiltered ? null : (
                <button type="button" onClick={() => change({ show: undefined, agent: undefined })}>
                  {t.clear}
                </button>
              )}
            </Empty>
          ) : (
            <VirtualList
              label={t.rows}
              items={rows.rows}
              total={rows.total}
              keyOf={keyOf}
              estimate={ROW_PX}
              focus={around === null ? null : String(around)}
              leap={{ to: isUserPrompt, next: t.nextPrompt, previous: t.previousPrompt }}
              onOpen={toggle}
              {...(rows.later === undefined ? {} : { onEnd: rows.later })}
              {...(rows.earlier === undefined ? {} : { onStart: rows.earlier })}
              row={(row) => (
                <Row
                  row={row}
                  isOpen={open.has(row.seq)}
                  isWhole={isWhole}
                  mayForget={mayChange}
                  onToggle={() => toggle(row)}
                  onTrace={() => change({ trace: row.id })}
                  onForget={() => setForgotten(row)}
                />
              )}
            />
          )
        }
      </LoadedView>
      {forgotten === null ? null : (
        <ForgetEvent
          eventKey={forgotten.id}
          sessionId={session.id}
          onForgotten={rows.renew}
          onClose={() => setForgotten(null)}
        />
      )}
    </>
  );
}
