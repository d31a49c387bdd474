import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RetentionRun } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { usePoll } from '../../link/poll.ts';
import { useList } from '../../link/pages.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { bytesText, fullCount } from '../../parts/amounts.ts';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { Empty, LoadedView, More } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';
import { retentionTexts } from './retention-texts.ts';
import { FILTERS, effectsOf, endsJob } from './views.ts';

/** Whether a dry run may be approved: complete, not approved, and of the policies that apply now. */
function isApprovable(run: RetentionRun, hash: string | undefined): boolean {
  return run.mode === 'dry_run' && run.state === 'completed' && run.approved_at === null && run.hash === hash;
}

/** The report of a run, and the approval of a dry run. */
function Report(props: {
  readonly id: string;
  readonly hash: string | undefined;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(retentionTexts);
  const { id, hash, onClose } = props;
  const report = useResource('GET /admin/retention/runs/{id}', { path: { id } }, endsJob);
  const [isApproving, setIsApproving] = useState(false);
  usePoll(report.data?.run.state === 'running', report.reload);
  const approve = async (): Promise<void> => {
    try {
      await ask('POST /admin/retention/runs/{id}/approve', { path: { id } });
    } finally {
      // After a CONFLICT too: the policies are other ones now.
      invalidate('/admin/retention');
    }
  };
  if (isApproving && report.data !== undefined)
    return (
      <Confirm
        title={r.approveTitle}
        counts={effectsOf(report.data.counts).map(({ action, resource, rows }) => [
          r.effect(action, r.resources[resource]),
          rows,
        ])}
        action={r.approve}
        isDangerous
        onConfirm={approve}
        onClose={() => setIsApproving(false)}
      >
        <p>{r.approveHint}</p>
      </Confirm>
    );
  return (
    <Dialog title={r.report} onClose={onClose}>
      <LoadedView of={report}>
        {({ run, counts }) => (
          <div class="page">
            <p class="line">
              <span class={`badge ${run.state}`}>{t.states[run.state]}</span> {r.modes[run.mode]}
              <RelativeTime at={run.created_at} />
            </p>
            {run.error === null ? null : (
              <p class="bad">
                <code>{run.error}</code>
              </p>
            )}
            {counts.length === 0 ? (
              <p>{r.nothingToDo}</p>
            ) : (
              <Table
                caption={r.rowsOf(fullCount(run.rows), bytesText(run.bytes))}
                rows={counts}
                keyOf={({ rule, resource, project, data_class: dataClass, month }) =>
                  `${rule} ${resource} ${project ?? ''} ${dataClass ?? ''} ${month}`
                }
                columns={[
                  { head: r.action, cell: ({ action, resource }) => r.effect(action, r.resources[resource]) },
                  { head: r.month, cell: ({ month }) => month },
                  { head: r.dataClass, cell: ({ data_class: dataClass }) => dataClass ?? '–' },
                  { head: t.rows, cell: ({ rows }) => fullCount(rows), isNumber: true },
                ]}
              />
            )}
            {isApprovable(run, hash) ? (
              <footer class="line">
                <button type="button" class="primary" onClick={() => setIsApproving(true)}>
                  {r.approve}
                </button>
              </footer>
            ) : run.mode === 'dry_run' && run.approved_at === null && run.state === 'completed' ? (
              <p class="warn">{r.outdated}</p>
            ) : null}
          </div>
        )}
      </LoadedView>
    </Dialog>
  );
}

/** Dry runs and runs, newest first. */
export function RetentionRuns({ hash }: { readonly hash: string | undefined }): JSX.Element {
  const t = inLanguage(texts);
  const r = inLanguage(retentionTexts);
  const [{ run: shown }, change] = useQuery(FILTERS);
  const list = useList('GET /admin/retention/runs', { query: { limit: 20 } }, ({ id }) => id, endsJob);
  usePoll(
    list.items.some(({ state }) => state === 'running'),
    list.reload,
  );
  return (
    <>
      <h2>{r.runs}</h2>
      <LoadedView of={list}>
        {() =>
          list.items.length === 0 ? (
            <Empty title={r.noRuns} command="recollect retention dry-run" />
          ) : (
            <>
              <Table
                caption={r.runs}
                rows={list.items}
                keyOf={({ id }) => id}
                columns={[
                  {
                    head: t.started,
                    cell: ({ id, created_at: at }) => (
                      <button type="button" class="quiet" onClick={() => change({ run: id })}>
                        <RelativeTime at={at} />
                      </button>
                    ),
                  },
                  { head: r.mode, cell: ({ mode }) => r.modes[mode] },
                  {
                    head: t.state,
                    cell: ({ state }) => <span class={`badge ${state}`}>{t.states[state]}</span>,
                  },
                  { head: t.rows, cell: ({ rows }) => fullCount(rows), isNumber: true },
                  {
                    head: r.approval,
                    cell: (run) =>
                      run.approved_at !== null ? (
                        <RelativeTime at={run.approved_at} />
                      ) : isApprovable(run, hash) ? (
                        <button type="button" onClick={() => change({ run: run.id })}>
                          {r.review}
                        </button>
                      ) : run.mode === 'dry_run' && run.state === 'completed' ? (
                        r.outdatedShort
                      ) : (
                        '–'
                      ),
                  },
                ]}
              />
              <More of={list} />
            </>
          )
        }
      </LoadedView>
      {shown === undefined ? null : <Report id={shown} hash={hash} onClose={() => change({ run: undefined })} />}
    </>
  );
}
