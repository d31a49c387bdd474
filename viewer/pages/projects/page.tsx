import type { JSX } from 'preact';
import type { Project } from '../../contract/index.ts';
import { useList } from '../../link/pages.ts';
import { FilterField } from '../../parts/fields.tsx';
import { addressOfProject } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { ConnectAgent, LoadedView, NoMatch } from '../../parts/states.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { textParameter } from '../../router/query.ts';
import { navigate, useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

const ROW_PX = 62;
const FILTERS = { search: textParameter() } as const;

const idOf = ({ id }: Project): string => id;

function ProjectRow({ project }: { readonly project: Project }): JSX.Element {
  const t = inLanguage(texts);
  const { display_name: name, git_remote: remote, sessions, learnings, last_event_at: lastEventAt } = project;
  return (
    <article class="job-row">
      <a href={addressOfProject(project.id)}>
        <Text text={name} />
      </a>
      <p class="muted">
        {t.sessionsOf(sessions)} · {t.learningsOf(learnings)}
        {' · '}
        {lastEventAt === null ? t.noEvent : <RelativeTime at={lastEventAt} wrap={t.lastEvent} />}
        {remote === null ? null : (
          <>
            {' · '}
            <Text text={remote} />
          </>
        )}
      </p>
    </article>
  );
}

/** The list of projects, newest first. */
export default function ProjectsPage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ search }, change] = useQuery(FILTERS);
  const list = useList(
    'GET /projects',
    { query: { search, limit: 50 } },
    idOf,
    ({ type }) => type === 'session.created' || type === 'learning.extracted',
  );
  const total = list.data?.total ?? null;
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
          value={search}
          onValue={(value) => change({ search: value }, { replace: true })}
        />
      </search>
      <LoadedView of={list}>
        {() =>
          list.items.length > 0 ? (
            <VirtualList
              label={t.title}
              items={list.items}
              total={total}
              keyOf={idOf}
              estimate={ROW_PX}
              row={(project) => <ProjectRow project={project} />}
              onOpen={(project) => navigate(addressOfProject(project.id))}
              onEnd={list.more}
            />
          ) : search !== undefined ? (
            <NoMatch title={t.noMatch} onClear={() => change({ search: undefined })} />
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
