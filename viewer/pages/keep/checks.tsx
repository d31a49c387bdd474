import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Check } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { usePoll } from '../../link/poll.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { fullCount } from '../../parts/amounts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { endsJob } from './views.ts';

/** Differences of a check, each with what was repaired. */
function Differences({ check }: { readonly check: Check }): JSX.Element {
  const t = inLanguage(texts);
  const found = Object.entries(check.found).filter(([, count]) => count > 0);
  if (check.state !== 'completed') return <>{check.error === null ? '–' : <code>{check.error}</code>}</>;
  if (found.length === 0) return <span class="good">{t.noDifferences}</span>;
  return (
    <ul>
      {found.map(([kind, count]) => (
        <li key={kind}>
          {kind.replaceAll('_', ' ')}: {fullCount(count)}
          {check.repair ? ` · ${t.repaired(fullCount(check.repaired[kind] ?? 0))}` : null}
        </li>
      ))}
    </ul>
  );
}

/** The index of searches, and one that is built beside it. */
function Index(): JSX.Element {
  const t = inLanguage(texts);
  const index = useResource('GET /admin/reindex', {}, ({ type }) => type === 'search.index_updated');
  return (
    <section class="panel">
      <h2>{t.index}</h2>
      <LoadedView of={index}>
        {({ serving, building, needed, wanted }) => (
          <>
            <p>
              <code>{serving.index}</code>{' '}
              {t.indexCounts(fullCount(serving.indexed), fullCount(serving.waiting), fullCount(serving.failed))}
            </p>
            {building === null ? null : (
              <p class="muted">
                {t.building} <code>{building.index}</code>{' '}
                {t.indexCounts(fullCount(building.indexed), fullCount(building.waiting), fullCount(building.failed))}
              </p>
            )}
            {needed && building === null ? (
              <p class="warn">
                {t.reindexNeeded} <code>{wanted}</code>
              </p>
            ) : null}
          </>
        )}
      </LoadedView>
    </section>
  );
}

/** Consistency checks of the stores: counts of differences, and their repair. */
export function Checks(): JSX.Element {
  const t = inLanguage(texts);
  const list = useResource('GET /admin/consistency/checks', { query: { limit: 20 } }, endsJob);
  const [isRepairing, setIsRepairing] = useState(false);
  const act = useAct();
  usePoll(list.data?.data.some(({ state }) => state === 'running') === true, list.reload);
  const start = async (repair: boolean): Promise<void> => {
    await ask('POST /admin/consistency', { body: { repair } });
    invalidate('/admin/consistency', '/jobs');
    list.reload();
  };
  return (
    <div class="page">
      <div class="line">
        <h2>{t.tabs.checks}</h2>
        <button
          type="button"
          class="primary"
          disabled={act.isRunning}
          onClick={() => act.run(() => start(false), t.checkStarted)}
        >
          {t.check}
        </button>
        <button type="button" onClick={() => setIsRepairing(true)}>
          {t.repair}
        </button>
      </div>
      {act.note}
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t.noChecks} command="recollect consistency check" />
          ) : (
            <Table
              caption={t.tabs.checks}
              rows={data}
              keyOf={({ id }) => id}
              columns={[
                { head: t.started, cell: ({ started_at: at }) => <RelativeTime at={at} /> },
                { head: t.state, cell: ({ state }) => <span class={`badge ${state}`}>{t.states[state]}</span> },
                { head: t.compared, cell: ({ rows }) => fullCount(rows), isNumber: true },
                { head: t.differences, cell: (check) => <Differences check={check} /> },
                {
                  head: t.remaining,
                  cell: ({ remaining, state }) =>
                    state === 'completed' ? (
                      <span class={remaining > 0 ? 'bad' : 'good'}>{fullCount(remaining)}</span>
                    ) : (
                      '–'
                    ),
                  isNumber: true,
                },
              ]}
            />
          )
        }
      </LoadedView>
      <Index />
      {isRepairing ? (
        <Confirm
          title={t.repairTitle}
          action={t.repair}
          onConfirm={() => start(true)}
          onClose={() => setIsRepairing(false)}
        >
          <p>{t.repairHint}</p>
        </Confirm>
      ) : null}
    </div>
  );
}
