import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Schedule } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Table } from '../../parts/table.tsx';
import { durationText } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { concernsJobs } from './rights.ts';
import { texts } from './texts.ts';

type Run = Schedule['last_runs'][number];

/** Returns counters of a run in one line, such as "deleted 3, retained 0". */
function resultText(result: Run['result']): string {
  return Object.entries(result ?? {})
    .filter(([, value]) => typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${String(value)}`)
    .join(', ');
}

function PauseDialog({
  name,
  onClose,
}: {
  readonly name: Schedule['name'];
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const [reason, setReason] = useState('');
  const pause = async (): Promise<void> => {
    await ask('POST /schedules/{name}/pause', { path: { name }, body: { reason } });
    invalidate('/schedules');
  };
  return (
    <Confirm title={t.pauseTitle(name)} action={t.pause} onConfirm={pause} onClose={onClose}>
      <Field label={t.reason} hint={t.reasonHint} required maxLength={500} value={reason} onValue={setReason} />
    </Confirm>
  );
}

function ScheduleView({
  schedule,
  onPause,
}: {
  readonly schedule: Schedule;
  readonly onPause: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const act = useAct();
  const { name, description, state, pause_reason: pauseReason, next_runs: next, last_runs: runs, why } = schedule;
  const resume = async (): Promise<void> => {
    await ask('POST /schedules/{name}/resume', { path: { name } });
    invalidate('/schedules');
  };
  const run = async (): Promise<void> => {
    await ask('POST /schedules/{name}/run', { path: { name } });
    invalidate('/schedules', '/jobs');
  };
  const [first] = next;
  return (
    <section class="panel" aria-label={name}>
      <div class="line">
        <h2>{name}</h2>
        <span class={`badge ${state}`}>{t.states[state]}</span>
        {first === undefined ? null : (
          <span class="muted">
            <RelativeTime at={first} wrap={t.next} />
          </span>
        )}
        {state === 'paused' ? (
          <button type="button" disabled={act.isRunning} onClick={() => act.run(resume, t.resumed)}>
            {t.resume}
          </button>
        ) : null}
        {state === 'active' ? (
          <button type="button" onClick={onPause}>
            {t.pause}
          </button>
        ) : null}
        {state === 'missing' ? null : (
          <button type="button" disabled={act.isRunning} onClick={() => act.run(run, t.ran)}>
            {t.run}
          </button>
        )}
      </div>
      <p>{description}</p>
      {pauseReason === null ? null : <p class="warn">{pauseReason}</p>}
      {act.note}
      {runs.length === 0 ? (
        <p class="muted">{t.noRuns}</p>
      ) : (
        <Table
          caption={t.lastRuns(name)}
          rows={runs}
          keyOf={({ started_at: at }) => at}
          columns={[
            { head: t.started_at, cell: ({ started_at: at }) => <RelativeTime at={at} /> },
            {
              head: t.state,
              cell: ({ state: of, error }) => (
                <>
                  {of === null ? '–' : <span class={`badge ${of}`}>{t.states[of]}</span>} {error}
                </>
              ),
            },
            {
              head: t.duration,
              cell: ({ started_at: at, finished_at: end }) =>
                end === null ? '–' : durationText(Date.parse(end) - Date.parse(at)),
              isNumber: true,
            },
            { head: t.result, cell: ({ result }) => resultText(result) },
          ]}
        />
      )}
      <details>
        <summary>{t.why}</summary>
        <p>{why}</p>
      </details>
    </section>
  );
}

/** The schedules of the instance with their runs; operators pause, resume and run them. */
export function Schedules(): JSX.Element {
  const list = useResource('GET /schedules', {}, concernsJobs);
  const [paused, setPaused] = useState<Schedule['name'] | null>(null);
  return (
    <LoadedView of={list}>
      {({ data }) => (
        <div class="page">
          {data.map((schedule) => (
            <ScheduleView key={schedule.name} schedule={schedule} onPause={() => setPaused(schedule.name)} />
          ))}
          {paused === null ? null : <PauseDialog name={paused} onClose={() => setPaused(null)} />}
        </div>
      )}
    </LoadedView>
  );
}
