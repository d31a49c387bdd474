import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionDetail } from '../../contract/index.ts';
import { mayChangeOf } from '../../link/me.ts';
import { useResource } from '../../link/resource.ts';
import { partsOf } from '../../parts/escaped.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { LoadedView } from '../../parts/states.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import type { PageProps } from '../registry.ts';
import { ServedList } from '../context/served.tsx';
import { texts as lists } from '../sessions/texts.ts';
import { Actions } from './actions.tsx';
import { RowsTab } from './rows-tab.tsx';
import { texts } from './texts.ts';
import { TraceDialog } from './trace.tsx';
import { Understood } from './understood.tsx';
import { TABS, VIEW, eventsOf, positionOf } from './view.ts';
import { Work } from './work.tsx';

const CHANGES = ['session.updated', 'observation.added', 'summary.generated', 'learning.extracted'] as const;

/** Title, project, state and figures. */
function Head({ session }: { readonly session: SessionDetail }): JSX.Element {
  const t = inLanguage(texts);
  const l = inLanguage(lists);
  const { title, phase, status, project, host, model, counts, stuck } = session;
  return (
    <header>
      <div class="line">
        <h1>{title === null ? l.untitled : <Text text={title} />}</h1>
        <span class={`badge ${phase}`}>{l.phases[phase]}</span>
        {session.capture ? null : <span class="badge warn">{l.captureOff}</span>}
        {stuck === null ? null : (
          <span class="badge bad" title={stuck.advice}>
            {l.stuck(stuck.why)}
          </span>
        )}
      </div>
      <p class="details">
        <Text text={project?.name ?? l.noProject} />
        {' · '}
        {host}
        {model === null ? null : (
          <>
            {' · '}
            <Text text={model} />
          </>
        )}
        {' · '}
        {l.statuses[status]}
        {' · '}
        <RelativeTime at={session.started_at} wrap={t.started} />
        {' · '}
        {t.sizes(counts.prompts, counts.observations, counts.tokens)}
        {session.waiting_reason === null ? null : <span class="warn"> · {l.waits(session.waiting_reason)}</span>}
        {session.last_error === null ? null : (
          <span class="bad">
            {' · '}
            <Text text={l.failed(session.last_error)} />
          </span>
        )}
      </p>
    </header>
  );
}

/** Finds the position of a row that the address names by its id; null if the session has no such row. */
function FindRow(props: {
  readonly rowId: string;
  readonly sessionId: string;
  readonly children: (position: number | null) => JSX.Element;
}): JSX.Element {
  const { rowId, sessionId, children } = props;
  const traced = useResource('GET /trace', { query: { key: rowId, session: sessionId } });
  return (
    <LoadedView of={traced}>
      {({ data }) => children(data.flatMap(({ rows }) => rows).find(({ id }) => id === rowId)?.seq ?? null)}
    </LoadedView>
  );
}

/** A session: what was captured, what was understood, what was served to it, and its work. */
export default function SessionPage({ parts }: PageProps): JSX.Element {
  const t = inLanguage(texts);
  const [view, change] = useQuery(VIEW);
  const [isWhole, setIsWhole] = useState(false);
  const given = parts['id'] ?? '';
  // The address may name the session by its host; events have its id.
  const id = useRef<string | undefined>(undefined);
  const session = useResource('GET /sessions/{id}', { path: { id: given } }, (event) =>
    eventsOf(id.current, CHANGES)(event),
  );
  id.current = session.data?.id;
  const title = session.data?.title;
  useEffect(() => {
    if (title === undefined || title === null) return;
    document.title = `${partsOf(title)
      .map(({ text }) => text)
      .join('')} · Recollect`;
  }, [title]);
  useEffect(() => {
    const end = (): void => setIsWhole(false);
    addEventListener('afterprint', end);
    return () => removeEventListener('afterprint', end);
  }, []);
  const tab = view.tab ?? 'rows';
  return (
    <div class={tab === 'rows' && !isWhole ? 'page list-page session-page' : 'page session-page'}>
      <LoadedView of={session}>
        {(data) => {
          const mayChange = mayChangeOf(data.user_id);
          const rows = (around: number | null): JSX.Element => (
            <RowsTab
              session={data}
              around={around}
              mayChange={mayChange}
              isWhole={isWhole}
              onWhole={() => setIsWhole(true)}
            />
          );
          const position = positionOf(view.row);
          const content: Readonly<Record<(typeof TABS)[number], () => JSX.Element>> = {
            rows: () =>
              view.row === undefined || position !== null ? (
                rows(position)
              ) : (
                <FindRow rowId={view.row} sessionId={data.id}>
                  {rows}
                </FindRow>
              ),
            understood: () => <Understood session={data} />,
            context: () => (
              <ServedList
                filters={{ session: data.id }}
                open={view.context}
                onOpen={(context) => change({ context })}
              />
            ),
            work: () => <Work session={data} />,
          };
          return (
            <>
              <Head session={data} />
              <Actions session={data} mayChange={mayChange} />
              {isWhole ? <Understood session={data} onLoaded={() => print()} /> : null}
              <Tabs
                label={t.parts}
                tabs={TABS.map((name) => ({ name, text: t.tabs[name] }))}
                selected={tab}
                onSelect={(name) => change({ tab: name === 'rows' ? undefined : name })}
              >
                {content[tab]()}
              </Tabs>
              {view.trace === undefined ? null : (
                <TraceDialog
                  rowId={view.trace}
                  sessionId={data.id}
                  onClose={() => change({ trace: undefined }, { replace: true })}
                />
              )}
            </>
          );
        }}
      </LoadedView>
    </div>
  );
}
