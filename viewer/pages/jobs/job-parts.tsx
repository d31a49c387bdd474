import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Job } from '../../contract/index.ts';
import { ask } from '../../link/ask.ts';
import { me } from '../../link/me.ts';
import { invalidate, useResource } from '../../link/resource.ts';
import { useAct } from '../../parts/act.tsx';
import type { Act } from '../../parts/act.tsx';
import { Copy } from '../../parts/copy.tsx';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { addressOfSession } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { concernsJobs, mayCancel, mayRetry } from './rights.ts';
import { texts } from './texts.ts';

/** Starts a job again, and loads again what pages show of jobs and sessions. @throws AskError */
export async function retryJob({ id }: Job): Promise<void> {
  await ask('POST /jobs/{id}/retry', { path: { id } });
  invalidate('/jobs', '/sessions');
}

/** Waiting reason, failure, pending work and advice of a job. */
function Condition({ job }: { readonly job: Job }): JSX.Element {
  const t = inLanguage(texts);
  const { waiting_reason: waiting, waiting_until: until, attempts, last_error: fault, pending, stuck } = job;
  return (
    <>
      {waiting === null ? null : (
        <p class="warn">
          {t.waits(waiting)} {until === null ? null : <RelativeTime at={until} wrap={t.until} />}
        </p>
      )}
      {fault === null ? null : (
        <p class="bad">
          <Text text={t.failed(fault)} />
          {attempts > 1 ? ` · ${t.attempts(attempts)}` : null}
        </p>
      )}
      {pending.summarise + pending.learn + pending.embed === 0 ? null : (
        <p class="muted">{t.pendingShort(pending.summarise, pending.learn, pending.embed)}</p>
      )}
      {stuck === null ? null : (
        <p class="bad">
          {stuck.why}: {stuck.advice}
        </p>
      )}
    </>
  );
}

/** One job in the list, with what the user may do. */
export function JobRow(props: {
  readonly job: Job;
  readonly act: Act;
  readonly onOpen: (job: Job) => void;
  readonly onCancel: (job: Job) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const { job, act, onOpen, onCancel } = props;
  const user = me.value;
  const { kind, state, session, phase, updated_at: updatedAt } = job;
  const project = session?.project ?? null;
  return (
    <article class="job-row">
      <div class="line">
        <button type="button" class="quiet" onClick={() => onOpen(job)}>
          {session === null ? t.kinds[kind] : session.title === null ? t.untitled : <Text text={session.title} />}
        </button>
        <span class={`badge ${state}`}>{t.states[state]}</span>
        <span class="muted">
          {session === null ? <code>{job.id}</code> : t.kinds[kind]}
          {project === null ? null : (
            <>
              {' · '}
              <Text text={project} />
            </>
          )}
          {phase === null ? null : ` · ${phase}`}
          {' · '}
          <RelativeTime at={updatedAt} wrap={t.updated} />
        </span>
        {mayRetry(job, user) ? (
          <button type="button" disabled={act.isRunning} onClick={() => act.run(() => retryJob(job), t.retried)}>
            {t.retry}
          </button>
        ) : null}
        {mayCancel(job, user) ? (
          <button type="button" class="quiet" onClick={() => onCancel(job)}>
            {t.cancel}
          </button>
        ) : null}
      </div>
      <Condition job={job} />
    </article>
  );
}

/** The confirmation of a cancellation. */
export function CancelJob({ job, onClose }: { readonly job: Job; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const { pending } = job;
  const cancel = async (): Promise<void> => {
    await ask('POST /jobs/{id}/cancel', { path: { id: job.id } });
    invalidate('/jobs', '/sessions');
  };
  return (
    <Confirm
      title={t.cancelTitle}
      counts={[
        [t.pending.summarise, pending.summarise],
        [t.pending.learn, pending.learn],
        [t.pending.embed, pending.embed],
      ]}
      action={t.cancel}
      isDangerous
      onConfirm={cancel}
      onClose={onClose}
    >
      <p>{t.cancelHint}</p>
    </Confirm>
  );
}

/** Everything about one job; it stays current. */
export function JobDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): JSX.Element {
  const t = inLanguage(texts);
  const answer = useResource('GET /jobs/{id}', { path: { id } }, concernsJobs);
  const [isCancelling, setIsCancelling] = useState(false);
  const act = useAct();
  const user = me.value;
  if (isCancelling && answer.data !== undefined)
    return <CancelJob job={answer.data.job} onClose={() => setIsCancelling(false)} />;
  return (
    <Dialog title={t.title} onClose={onClose}>
      <LoadedView of={answer}>
        {({ job }) => (
          <div class="page">
            <p class="line">
              <span class={`badge ${job.state}`}>{t.states[job.state]}</span>
              {t.kinds[job.kind]}
              {job.phase === null ? null : ` · ${job.phase}`}
            </p>
            <p class="line">
              {t.id} <code>{job.id}</code> <Copy text={job.id} />
            </p>
            {job.session === null ? null : (
              <p>
                <a href={addressOfSession(job.session.id)}>
                  {job.session.title === null ? t.openSession : <Text text={job.session.title} />}
                </a>
              </p>
            )}
            <p class="muted">
              <RelativeTime at={job.started_at} wrap={t.started} />
              {' · '}
              <RelativeTime at={job.updated_at} wrap={t.updated} />
            </p>
            <Condition job={job} />
            {act.note}
            <footer class="line">
              {mayRetry(job, user) ? (
                <button
                  type="button"
                  class="primary"
                  disabled={act.isRunning}
                  onClick={() => act.run(() => retryJob(job).then(answer.reload), t.retried)}
                >
                  {t.retry}
                </button>
              ) : null}
              {mayCancel(job, user) ? (
                <button type="button" onClick={() => setIsCancelling(true)}>
                  {t.cancel}
                </button>
              ) : null}
            </footer>
          </div>
        )}
      </LoadedView>
    </Dialog>
  );
}
