import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Restore } from '../../contract/index.ts';
import { usePoll } from '../../link/poll.ts';
import { useResource } from '../../link/resource.ts';
import { bytesText, fullCount } from '../../parts/amounts.ts';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { durationText } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { comparisonOf } from './views.ts';

const SECOND_MS = 1_000;

function Progress({ restore }: { readonly restore: Restore }): JSX.Element {
  const t = inLanguage(texts);
  const { phase, counts } = restore;
  const { bytes_done: done = 0, bytes_total: total = 0 } = counts;
  return (
    <>
      <p role="status">
        {t.phases[phase]}
        {total === 0 ? null : ` · ${bytesText(done)} / ${bytesText(total)}`}
      </p>
      <progress aria-label={t.phases[phase]} {...(total === 0 ? {} : { max: total, value: done })} />
    </>
  );
}

function RestoreView({ restore }: { readonly restore: Restore }): JSX.Element {
  const t = inLanguage(texts);
  const { kind, state, error, message, result } = restore;
  const comparison = comparisonOf(restore);
  return (
    <section class="panel" aria-label={restore.id}>
      <div class="line">
        <h3>{t.restoreKinds[kind]}</h3>
        <span class={`badge ${state}`}>{t.states[state]}</span>
        <span class="muted">
          <RelativeTime at={restore.created_at} />
          {restore.dry_run ? ` · ${t.readOnly}` : null}
          {result?.snapshot_at === undefined ? null : (
            <>
              {' · '}
              <RelativeTime at={result.snapshot_at} wrap={t.snapshot} />
            </>
          )}
        </span>
      </div>
      {state === 'running' ? <Progress restore={restore} /> : null}
      {error === null ? null : (
        <p class="bad">
          <code>{error}</code> {message}
        </p>
      )}
      {comparison === null ? null : (
        <>
          <p class={comparison.isEqual ? 'good' : 'bad'}>{comparison.isEqual ? t.equal : t.different}</p>
          <Table
            caption={t.comparisonOf(restore.created_at.slice(0, 16).replace('T', ' '))}
            rows={comparison.parts}
            keyOf={({ part }) => part}
            columns={[
              { head: t.part, cell: ({ part }) => t.parts[part] },
              { head: t.compared, cell: ({ compared }) => fullCount(compared), isNumber: true },
              {
                head: t.differences,
                cell: ({ different }) => <span class={different > 0 ? 'bad' : 'good'}>{fullCount(different)}</span>,
                isNumber: true,
              },
            ]}
          />
          {comparison.differentTables.length === 0 ? null : (
            <p class="bad">{t.differentTables(comparison.differentTables.join(', '))}</p>
          )}
        </>
      )}
      {result?.seconds?.total === undefined ? null : (
        <p class="muted">
          {t.took(durationText(result.seconds.total * SECOND_MS))}
          {result.mb_per_second === undefined ? null : ` · ${result.mb_per_second.toFixed(1)} MB/s`}
        </p>
      )}
    </section>
  );
}

/** Drills and restores, newest first, with what their comparison found. */
export function Drills({ onVerified }: { readonly onVerified: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const list = useResource('GET /admin/restores', { query: { limit: 10 } });
  const isRunning = list.data?.data.some(({ state }) => state === 'running') === true;
  usePoll(isRunning, list.reload);
  useEffect(() => {
    // A drill that ended verified its backup.
    if (!isRunning) onVerified();
  }, [isRunning]);
  return (
    <>
      <h2>{t.drills}</h2>
      <LoadedView of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t.noDrills} command="recollect drill --wait">
              <p>{t.noDrillsHint}</p>
            </Empty>
          ) : (
            data.map((restore) => <RestoreView key={restore.id} restore={restore} />)
          )
        }
      </LoadedView>
    </>
  );
}
