import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Job } from '../../contract/index.ts';
import { mayOperate, me } from '../../link/me.ts';
import { usePoll } from '../../link/poll.ts';
import { useList } from '../../link/pages.ts';
import { useAct } from '../../parts/act.tsx';
import { FilterField, Select } from '../../parts/fields.tsx';
import { ConnectAgent, LoadedView, NoMatch } from '../../parts/states.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { showToast } from '../../parts/toast.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { CancelJob, JobDialog, JobRow, retryJob } from './job-parts.tsx';
import { FILTERS, KINDS, STATES, TABS, concernsJobs, mayRetry } from './rights.ts';
import { Schedules } from './schedules.tsx';
import { texts } from './texts.ts';

const ROW_PX = 64;
const PAGE_ROWS = 50;
const LIST_LAG_MS = 10_000;

const idOf = ({ id }: Job): string => id;

/** The list of jobs, live; r retries the active row. */
function JobList(): JSX.Element {
  const t = inLanguage(texts);
  const [{ state, kind, project, job: shown }, change] = useQuery(FILTERS);
  const list = useList('GET /jobs', { query: { state, kind, project, limit: PAGE_ROWS } }, idOf, concernsJobs);
  // Temporal's list may lag behind the event that it is read after, and no further one follows.
  usePoll(list.data !== undefined, list.reload, LIST_LAG_MS);
  const [cancelled, setCancelled] = useState<Job | null>(null);
  const act = useAct();
  const rowKeys = useMemo(
    () => ({
      r: {
        text: t.retry,
        run: (job: Job) => {
          if (mayRetry(job, me.peek())) act.run(() => retryJob(job), t.retried);
          else showToast({ text: t.noRetry });
        },
      },
    }),
    [t],
  );
  const isFiltered = state !== undefined || kind !== undefined || project !== undefined;
  return (
    <>
      <search class="filters">
        <Select
          label={t.state}
          value={state}
          options={STATES.map((value) => ({ value, text: t.states[value] }))}
          onValue={(value) => change({ state: value })}
        />
        <Select
          label={t.kind}
          value={kind}
          options={KINDS.filter((value) => value !== 'operation' || mayOperate()).map((value) => ({
            value,
            text: t.kinds[value],
          }))}
          onValue={(value) => change({ kind: value })}
        />
        <FilterField
          label={t.project}
          maxLength={2048}
          value={project}
          onValue={(value) => change({ project: value }, { replace: true })}
        />
        {list.data === undefined ? null : (
          <p role="status" class="muted">
            {t.count(list.data.total ?? list.items.length)}
          </p>
        )}
      </search>
      {act.note}
      {list.data?.answer.degraded.includes('temporal') === true ? <p class="warn">{t.degraded}</p> : null}
      <LoadedView of={list}>
        {() =>
          list.items.length > 0 ? (
            <VirtualList
              label={t.title}
              items={list.items}
              total={list.data?.total ?? null}
              keyOf={idOf}
              estimate={ROW_PX}
              row={(job) => (
                <JobRow job={job} act={act} onOpen={({ id }) => change({ job: id })} onCancel={setCancelled} />
              )}
              rowKeys={rowKeys}
              onOpen={({ id }) => change({ job: id })}
              onEnd={list.more}
            />
          ) : isFiltered ? (
            <NoMatch
              title={t.noMatch}
              onClear={() => change({ state: undefined, kind: undefined, project: undefined })}
            />
          ) : (
            <ConnectAgent title={t.empty}>
              <p>{t.emptyHint}</p>
            </ConnectAgent>
          )
        }
      </LoadedView>
      {cancelled === null ? null : <CancelJob job={cancelled} onClose={() => setCancelled(null)} />}
      {shown === undefined ? null : <JobDialog id={shown} onClose={() => change({ job: undefined })} />}
    </>
  );
}

/** Jobs with their state, advice and retry; for operators also the schedules. */
export default function JobsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ tab = 'jobs' }, change] = useQuery(FILTERS);
  return (
    <div class="page list-page">
      <h1>{t.title}</h1>
      {mayOperate() ? (
        <Tabs
          label={t.views}
          tabs={TABS.map((name) => ({ name, text: t.tabs[name] }))}
          selected={tab}
          onSelect={(name) => change({ tab: name === 'jobs' ? undefined : name })}
        >
          {tab === 'jobs' ? <JobList /> : <Schedules />}
        </Tabs>
      ) : (
        <JobList />
      )}
    </div>
  );
}
