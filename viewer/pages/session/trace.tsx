import type { ComponentChildren, JSX } from 'preact';
import type { Trace } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { Copy } from '../../parts/copy.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { durationText } from '../../parts/times.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

/** A step from the capture to the index: whether it is complete, and what it made. */
function Step(props: {
  readonly name: string;
  readonly state: 'good' | 'bad' | 'muted';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <li class={`step ${props.state}`}>
      <strong>{props.name}</strong>
      <div>{props.children}</div>
    </li>
  );
}

/** Returns the name of a state; the state itself without one. */
function nameOf(names: Readonly<Record<string, string>>, state: string): string {
  return names[state] ?? state;
}

function Made({ items }: { readonly items: Trace['summaries'] }): JSX.Element {
  const t = inLanguage(texts);
  return items.length === 0 ? (
    <>{t.none}</>
  ) : (
    <ul>
      {items.map(({ id, title, quotes }) => (
        <li key={id}>
          <Text text={title} /> <span class="details">{quotes ? t.quotesIt : t.sameRows}</span>
        </li>
      ))}
    </ul>
  );
}

/** How long each step took, with what it waited for. */
function Times({ steps }: { readonly steps: Trace['steps'] }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <ul class="details">
      {steps.map(({ name, started_at: startedAt, duration_ms: ms }) => (
        <li key={name} title={startedAt}>
          {t.times[name]}: {ms === null ? t.notYet : durationText(ms)}
        </li>
      ))}
    </ul>
  );
}

function Steps({ trace }: { readonly trace: Trace }): JSX.Element {
  const t = inLanguage(texts);
  const { window: part, embeddings, workflow } = trace;
  const failed = embeddings.filter(({ state }) => state === 'failed');
  const indexed = embeddings.filter(({ in_index: inIndex }) => inIndex === true).length;
  return (
    <ol class="steps">
      <Step name={t.steps.received} state="good">
        <RelativeTime at={trace.received_at} /> · {trace.source} · <code>{trace.key}</code> <Copy text={trace.key} />
      </Step>
      <Step name={t.steps.consumed} state={trace.consumed ? 'good' : 'muted'}>
        {trace.consumed ? t.yes : t.notYet}
      </Step>
      <Step
        name={t.steps.window}
        state={part === null ? 'muted' : part.error !== null && part.state === 'parked' ? 'bad' : 'good'}
      >
        {part === null ? (
          trace.infer ? (
            t.notYet
          ) : (
            t.notInferred
          )
        ) : (
          <>
            {t.windowIs(part.n, nameOf(t.windowStates, part.state))}
            {part.error === null ? null : <p class="bad">{part.error}</p>}
          </>
        )}
      </Step>
      <Step name={t.steps.summaries} state={trace.summaries.length === 0 ? 'muted' : 'good'}>
        <Made items={trace.summaries} />
      </Step>
      <Step name={t.steps.learnings} state={trace.learnings.length === 0 ? 'muted' : 'good'}>
        <Made items={trace.learnings} />
      </Step>
      <Step name={t.steps.vectors} state={failed.length > 0 ? 'bad' : indexed > 0 ? 'good' : 'muted'}>
        {t.vectorsOf(embeddings.length, indexed)}
        {failed.map(({ object_id: id, error }) => (
          <p key={id} class="bad">
            {error}
          </p>
        ))}
      </Step>
      {workflow === null ? null : (
        <Step name={t.steps.workflow} state="good">
          <code>{workflow.id}</code> {workflow.state}
          {workflow.waiting_reason === null ? null : ` · ${workflow.waiting_reason}`}
        </Step>
      )}
      <Step name={t.steps.times} state="muted">
        <Times steps={trace.steps} />
      </Step>
      {trace.trace_ids.length === 0 ? null : (
        <Step name={t.steps.traces} state="muted">
          {trace.trace_ids.map((id) => (
            <p key={id}>
              <code>{id}</code> <Copy text={id} />
            </p>
          ))}
        </Step>
      )}
    </ol>
  );
}

/** The way of a row from its capture to the index. */
export function TraceDialog(props: {
  readonly rowId: string;
  readonly sessionId: string;
  readonly onClose: () => void;
}): JSX.Element {
  const t = inLanguage(texts);
  const traced = useResource('GET /trace', { query: { key: props.rowId, session: props.sessionId } });
  return (
    <Dialog title={t.traceTitle} onClose={props.onClose}>
      <LoadedView of={traced}>
        {({ data, degraded }) => (
          <>
            {degraded.length === 0 ? null : <p class="warn">{t.degraded(degraded.join(', '))}</p>}
            {data.length === 0 ? <p>{t.noTrace}</p> : null}
            {data.map((trace) => (
              <Steps key={trace.key} trace={trace} />
            ))}
          </>
        )}
      </LoadedView>
    </Dialog>
  );
}
