import type { JSX } from 'preact';
import type { FeedItem } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { utcDayOf } from '../../parts/days.ts';
import { Field, FilterField, Select } from '../../parts/fields.tsx';
import { addressOfMemory, addressOfSession } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { ConnectAgent, LoadedView, NoMatch } from '../../parts/states.tsx';
import { VirtualList } from '../../parts/virtual-list.tsx';
import { navigate, useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { FILTERS, TYPES, daysOf, endOf, keyOf, rangeAround } from './feed.ts';
import { useFeed } from './read-feed.ts';
import { Strip } from './strip.tsx';
import { texts } from './texts.ts';

const ROW_PX = 84;

const LEVELS = { info: undefined, warning: 'warn', error: 'bad' } as const;

/** What happened, with its session and project. */
function Item({ item }: { readonly item: FeedItem }): JSX.Element {
  const t = inLanguage(texts);
  const { type, kind, title, preview, tool, level, session, project } = item;
  const name = type === 'session' ? (kind === 'ended' ? t.ended : t.started) : t.types[type];
  const text = title === '' ? preview : title;
  return (
    <article class="feed-item">
      <p class="line">
        <span class={`badge kind-${type}`}>{name}</span>
        <a href={addressOfMemory(item) ?? '/'} class="title">
          {text === '' ? t.untitled : <Text text={text} />}
        </a>
        {level === 'info' ? null : <span class={LEVELS[level]}>{t.levels[level]}</span>}
      </p>
      {title === '' || preview === '' ? null : (
        <p class="preview">
          <Text text={preview} />
        </p>
      )}
      <p class="details">
        <RelativeTime at={item.occurred_at} />
        {type === 'session' || type === 'prompt' ? null : ` · ${kind}`}
        {tool === null ? null : (
          <>
            {' · '}
            <Text text={tool} />
          </>
        )}
        {project === null ? null : (
          <>
            {' · '}
            <Text text={project.name} />
          </>
        )}
        {session === null || type === 'session' ? null : (
          <>
            {' · '}
            <a href={addressOfSession(session.id)}>
              {session.title === null ? t.session : <Text text={session.title} />}
            </a>
          </>
        )}
      </p>
    </article>
  );
}

/** What happened in all sessions, newest first, live, with a strip of days to jump to. */
export default function TimelinePage(): JSX.Element {
  const t = inLanguage(texts);
  const [{ day, ...filters }, change] = useQuery(FILTERS);
  const feed = useFeed({ ...filters, until: endOf(day) });
  const density = useResource(
    'GET /feed/density',
    { query: { ...filters, ...rangeAround(day, Date.now()), bucket: 'day' } },
    ({ type }) => type === 'session.created' || type === 'session.updated',
  );
  const isFiltered = day !== undefined || Object.values(filters).some((value) => value !== undefined);
  return (
    <div class="page list-page">
      <header class="line">
        <h1>{t.title}</h1>
        {day === undefined ? (
          <span class="good">{t.live}</span>
        ) : (
          <button type="button" onClick={() => change({ day: undefined })}>
            {t.toNewest}
          </button>
        )}
      </header>
      <search class="filters">
        <Select
          label={t.type}
          value={filters.type}
          options={TYPES.map((value) => ({ value, text: t.types[value] }))}
          onValue={(type) => change({ type })}
        />
        <FilterField
          label={t.project}
          value={filters.project}
          onValue={(project) => change({ project }, { replace: true })}
        />
        <Field
          label={t.jump}
          type="date"
          value={day ?? ''}
          onValue={(value) => change({ day: value > utcDayOf(Date.now()) ? undefined : value || undefined })}
        />
      </search>
      {density.data === undefined ? null : (
        <Strip days={daysOf(density.data)} selected={day} onSelect={(chosen) => change({ day: chosen })} />
      )}
      <LoadedView of={feed}>
        {({ items, next }) =>
          items.length > 0 ? (
            <VirtualList
              label={t.title}
              items={items}
              total={next === null ? items.length : -1}
              keyOf={keyOf}
              estimate={ROW_PX}
              row={(item) => <Item item={item} />}
              onOpen={(item) => navigate(addressOfMemory(item) ?? '/')}
              onEnd={feed.more}
            />
          ) : isFiltered ? (
            <NoMatch
              title={t.noMatch}
              onClear={() => change({ type: undefined, project: undefined, session: undefined, day: undefined })}
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
