import type { JSX } from 'preact';
import type { Session } from '../../contract/index.ts';
import { useList } from '../../link/pages.ts';
import { useResource } from '../../link/resource.ts';
import { FilterField, Select } from '../../parts/fields.tsx';
import { addressOfSession } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { ConnectAgent, LoadedView, NoMatch } from '../../parts/states.tsx';
import { UNCOUNTED, VirtualList } from '../../parts/virtual-list.tsx';
import { navigate, useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, PHASES, STATUSES, concernsSessions } from './filters.ts';
import { texts } from './texts.ts';

const ROW_PX = 62;
const PAGE_ROWS = 50;

/** Names of projects: equal ones of 100,000 rows are stored once. */
const names = new Map<string, string>();

function shared(name: string): string {
  const known = names.get(name);
  if (known === undefined) names.set(name, name);
  return known ?? name;
}

/** Returns what the list shows of a session. */
function shownOf(session: Session) {
  const { id, title, project, phase, status, host, last_event_at: lastEventAt, capture } = session;
  const { waiting_reason: waiting, last_error: fault, stuck } = session;
  const projectName = project === null ? null : shared(project.name);
  return { id, title, project: projectName, phase, status, host, lastEventAt, capture, waiting, fault, stuck };
}
type ShownSession = ReturnType<typeof shownOf>;

const idOf = ({ id }: ShownSession): string => id;

/** Title, project, phase, and what the session waits for. */
function SessionRow({ session }: { readonly session: ShownSession }): JSX.Element {
  const t = inLanguage(texts);
  const { title, project, phase, status, waiting, fault, stuck } = session;
  return (
    <article class="session-row">
      <a href={addressOfSession(session.id)} class="title">
        {title === null ? t.untitled : <Text text={title} />}
      </a>
      <span class={`badge ${phase}`}>{t.phases[phase]}</span>
      <p class="details">
        <Text text={project ?? t.noProject} />
        {' · '}
        {session.host}
        {' · '}
        {t.statuses[status]}
        {' · '}
        <RelativeTime at={session.lastEventAt} />
        {session.capture ? null : <span class="warn"> · {t.captureOff}</span>}
        {waiting === null ? null : <span class="warn"> · {t.waits(waiting)}</span>}
        {stuck === null ? null : (
          <span class="bad" title={stuck.advice}>
            {' · '}
            {t.stuck(stuck.why)}
          </span>
        )}
        {fault === null ? null : (
          <span class="bad">
            {' · '}
            <Text text={t.failed(fault)} />
          </span>
        )}
      </p>
    </article>
  );
}

/** The list of sessions, newest first, live. */
export default function SessionsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [filters, change] = useQuery(FILTERS);
  const query = { ...filters, count: false, limit: PAGE_ROWS };
  const list = useList('GET /sessions', { query }, idOf, concernsSessions, shownOf);
  // To count many sessions takes longer than to read a page of them, which is shown first.
  const call = list.data === undefined ? null : { query: { ...filters, limit: 1 } };
  const counted = useResource('GET /sessions', call, concernsSessions);
  // Beside an error they are of another list.
  const counts = counted.error === null ? counted.data?.counts : undefined;
  const total = counted.error === null ? (counted.data?.pagination.total ?? null) : null;
  const { sort: _, ...narrowing } = filters;
  const isFiltered = Object.values(narrowing).some((value) => value !== undefined);
  return (
    <div class="page list-page">
      <header class="line">
        <h1>{t.title}</h1>
        {total === null ? null : <span role="status">{t.count(total)}</span>}
      </header>
      <search class="filters">
        <FilterField
          label={t.search}
          maxLength={200}
          value={filters.search}
          onValue={(search) => change({ search }, { replace: true })}
        />
        <FilterField
          label={t.project}
          value={filters.project}
          onValue={(project) => change({ project }, { replace: true })}
        />
        <Select
          label={t.status}
          value={filters.status}
          options={STATUSES.map((value) => ({ value, text: t.withCount(t.statuses[value], counts?.status[value]) }))}
          onValue={(status) => change({ status })}
        />
        <Select
          label={t.phase}
          value={filters.phase}
          options={PHASES.map((value) => ({ value, text: t.withCount(t.phases[value], counts?.phase[value]) }))}
          onValue={(phase) => change({ phase })}
        />
        <Select
          label={t.sort}
          any={t.newest}
          value={filters.sort}
          options={[{ value: 'oldest', text: t.oldest }]}
          onValue={(sort) => change({ sort })}
        />
      </search>
      <LoadedView of={list}>
        {() =>
          list.items.length > 0 ? (
            <VirtualList
              label={t.title}
              items={list.items}
              total={total ?? UNCOUNTED}
              keyOf={idOf}
              estimate={ROW_PX}
              row={(session) => <SessionRow session={session} />}
              onOpen={(session) => navigate(addressOfSession(session.id))}
              onEnd={list.more}
            />
          ) : isFiltered ? (
            <NoMatch
              title={t.noMatch}
              onClear={() => change({ status: undefined, phase: undefined, project: undefined, search: undefined })}
            />
          ) : (
            <ConnectAgent title={t.empty}>
              <p>{t.connect}</p>
            </ConnectAgent>
          )
        }
      </LoadedView>
    </div>
  );
}
