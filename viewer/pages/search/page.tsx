import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Memory, SearchAnswer } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { Checkbox, Field, FilterField } from '../../parts/fields.tsx';
import { addressOfMemory } from '../../parts/places.ts';
import { Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { RowList } from '../../parts/row-list.tsx';
import { Empty, LoadedView } from '../../parts/states.tsx';
import { navigate, useQuery } from '../../router/router.ts';
import { useKeys } from '../../shell/keys.ts';
import { inLanguage } from '../../texts/language.ts';
import { excerptOf } from './excerpt.ts';
import { Explanation, HitExplanation } from './explanation.tsx';
import { Facets } from './facets.tsx';
import { PAGE_HITS, SEARCH, UNFILTERED, queryOf } from './query.ts';
import { QueryField } from './query-field.tsx';
import { texts } from './texts.ts';

const EXCERPT = 420;
/** Of a memory without a title, the start of its text is its title. */
const TITLE = 120;
const SYNTAX = [
  ['phrase', '"host key verification"'],
  ['type', 'type:learning'],
  ['tool', 'tool:Bash'],
  ['file', 'file:src/money.ts'],
  ['time', 'deployment last week'],
] as const;

/** A result: its title and an excerpt, both with the words of the query, and where it is from. */
function Hit({ of }: { readonly of: Memory }): JSX.Element {
  const t = inLanguage(texts);
  const rangesOf = (name: 'title' | 'content') => of.highlights.filter(({ field }) => field === name);
  const shown = of.title === '' ? excerptOf(of.content, rangesOf('content'), TITLE) : null;
  const excerpt = excerptOf(of.content, rangesOf('content'), EXCERPT);
  const address = addressOfMemory(of);
  const title = <Text {...(shown ?? { text: of.title, ranges: rangesOf('title') })} />;
  return (
    <article class="hit">
      <p class="line">
        <span class="badge">{t.types[of.type]}</span>
        {address === null ? (
          <strong class="title">{title}</strong>
        ) : (
          <a class="title" href={address}>
            {title}
          </a>
        )}
        <span class="muted" title={t.chance}>
          {Math.round(of.score * 100)} %
        </span>
      </p>
      {excerpt.text === (shown?.text ?? of.title) ? null : (
        <p class="excerpt">
          <Text {...excerpt} />
        </p>
      )}
      <p class="details">
        {of.session === null ? null : (
          <>
            <Text text={of.session.title ?? t.untitledSession} />
            {' · '}
          </>
        )}
        {of.project === null ? null : (
          <>
            <Text text={of.project} />
            {' · '}
          </>
        )}
        {of.tool === null ? null : (
          <>
            <Text text={of.tool} />
            {' · '}
          </>
        )}
        <RelativeTime at={of.occurred_at} />
      </p>
      {of.explain === undefined ? null : <HitExplanation of={of.explain} />}
    </article>
  );
}

/** What a search without results offers. */
function Nothing({ of }: { readonly of: SearchAnswer }): JSX.Element {
  const t = inLanguage(texts);
  const [, change] = useQuery(SEARCH);
  return (
    <Empty title={of.nothing_fits ? t.nothingFits : t.nothing}>
      <p class="line">
        {of.nothing_fits ? (
          <button type="button" onClick={() => change({ nearest: true })}>
            {t.showNearest}
          </button>
        ) : null}
        <button type="button" onClick={() => change(UNFILTERED)}>
          {t.clear}
        </button>
      </p>
    </Empty>
  );
}

function Answer({ of }: { readonly of: SearchAnswer }): JSX.Element {
  const t = inLanguage(texts);
  const [search, change] = useQuery(SEARCH);
  const { total } = of.pagination;
  return (
    <>
      <p role="status" class="muted">
        {t.found(total, Math.round(of.took_ms))}
      </p>
      {of.degraded.length === 0 ? null : (
        <p class="note warn" role="status">
          {t.degradedTitle} {of.degraded.map((name) => t.degraded[name]).join(' ')}
        </p>
      )}
      {of.explain === undefined ? null : <Explanation of={of.explain} />}
      <Facets of={of.facets} />
      {of.data.length === 0 ? (
        <Nothing of={of} />
      ) : (
        <RowList
          label={t.results}
          items={of.data}
          keyOf={({ id }) => id}
          row={(memory) => <Hit of={memory} />}
          onOpen={(memory) => {
            const address = addressOfMemory(memory);
            if (address !== null) navigate(address);
          }}
        />
      )}
      <p class="line">
        {search.offset === 0 ? null : (
          <button type="button" onClick={() => change({ offset: Math.max(0, search.offset - PAGE_HITS) })}>
            {t.previous}
          </button>
        )}
        {of.pagination.has_next ? (
          <button type="button" onClick={() => change({ offset: search.offset + PAGE_HITS })}>
            {t.next}
          </button>
        ) : null}
      </p>
    </>
  );
}

/** The results of a query. They do not move by themselves: rows under the eyes of a reader stay until the next search. */
function Results({ query }: { readonly query: string }): JSX.Element {
  const [search] = useQuery(SEARCH);
  const answer = useResource('GET /search', { query: queryOf(search, query) });
  return <LoadedView of={answer}>{(data) => ('facets' in data ? <Answer of={data} /> : null)}</LoadedView>;
}

/** Searches everything that was captured and learned, and explains the order of the results. */
export default function SearchPage(): JSX.Element {
  const t = inLanguage(texts);
  const [search, change] = useQuery(SEARCH);
  const keys = useMemo(
    () => ({ e: { text: t.explainKey, run: () => change({ explain: !search.explain }, { replace: true }) } }),
    [t, search.explain],
  );
  useKeys(keys);
  return (
    <div class="page">
      <h1>{t.title}</h1>
      <search class="stack">
        <QueryField
          query={search.q ?? ''}
          project={search.project}
          onQuery={(q) => change({ q: q || undefined, nearest: false, offset: 0 })}
        />
        <div class="filters">
          <FilterField
            label={t.project}
            value={search.project}
            onValue={(project) => change({ project, offset: 0 }, { replace: true })}
          />
          <Field
            label={t.since}
            type="date"
            value={search.since ?? ''}
            onValue={(since) => change({ since: since || undefined, offset: 0 }, { replace: true })}
          />
          <Field
            label={t.until}
            type="date"
            value={search.until ?? ''}
            onValue={(until) => change({ until: until || undefined, offset: 0 }, { replace: true })}
          />
        </div>
        <div class="line">
          <Checkbox
            label={t.bySession}
            checked={search.by_session}
            onValue={(by_session) => change({ by_session, offset: 0 })}
          />
          <Checkbox label={t.nearest} checked={search.nearest} onValue={(nearest) => change({ nearest, offset: 0 })} />
          <Checkbox label={t.explain} checked={search.explain} onValue={(explain) => change({ explain })} />
        </div>
      </search>
      {search.q === undefined ? (
        <Empty title={t.empty} command='recollect search "…"'>
          <dl class="syntax">
            {SYNTAX.map(([name, example]) => (
              <div key={name}>
                <dt>
                  <code>{example}</code>
                </dt>
                <dd>{t.syntax[name]}</dd>
              </div>
            ))}
          </dl>
        </Empty>
      ) : (
        <Results query={search.q} />
      )}
    </div>
  );
}
