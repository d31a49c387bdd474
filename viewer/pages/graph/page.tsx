import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Graph } from '../../contract/index.ts';
import { useResource } from '../../link/resource.ts';
import { Choice, FilterField, Select } from '../../parts/fields.tsx';
import { Text } from '../../parts/quoted.tsx';
import { RowList } from '../../parts/row-list.tsx';
import { ConnectAgent, LoadedView, NoMatch } from '../../parts/states.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useQuery } from '../../router/router.ts';
import { inLanguage } from '../../texts/language.ts';
import { NodeDetails, Relations } from './details.tsx';
import { Picture } from './picture.tsx';
import { texts } from './texts.ts';
import { SIZES, TYPES, VIEW, neighboursOf, queryOf } from './view.ts';

const REPLACE = { replace: true };
/** In a narrower window a picture has no place for names. */
const WIDE = '(min-width: 40rem)';

/** The graph as picture or list, beside the selected node. */
function Shown({ graph }: { readonly graph: Graph }): JSX.Element {
  const t = inLanguage(texts);
  const [view, change] = useQuery(VIEW);
  const neighbours = useMemo(() => neighboursOf(graph), [graph]);
  const as = view.as ?? (matchMedia(WIDE).matches ? 'picture' : 'list');
  const selected = graph.nodes.find(({ id }) => id === view.selected);
  const select = (id: string): void => change({ selected: id }, REPLACE);
  const start = (id: string): void => change({ node: id, selected: id, q: undefined });
  // Beside the picture; in the list at its row, where the reader is.
  const details =
    selected === undefined ? null : (
      <NodeDetails
        key={selected.id}
        node={selected}
        neighbours={neighbours.get(selected.id) ?? []}
        onSelect={select}
        onStart={start}
      />
    );
  return (
    <div class={details === null || as === 'list' ? undefined : 'graph-beside'}>
      <div class="graph-main">
        <Tabs
          label={t.title}
          tabs={[
            { name: 'picture', text: t.asPicture },
            { name: 'list', text: t.asList },
          ]}
          selected={as}
          onSelect={(chosen) => change({ as: chosen }, REPLACE)}
        >
          {as === 'list' ? (
            <RowList
              label={t.list}
              items={graph.nodes}
              keyOf={({ id }) => id}
              onOpen={({ id }) => select(id)}
              row={(node) => (
                <article class="hit">
                  <p class="line">
                    <span class={`badge node-type ${node.type}`}>{t.types[node.type]}</span>
                    <button
                      type="button"
                      class="quiet title"
                      aria-pressed={node.id === view.selected}
                      onClick={() => select(node.id)}
                    >
                      <Text text={node.label} />
                    </button>
                    <span class="muted">
                      {t.weight} {node.weight.toFixed(1)}
                    </span>
                  </p>
                  {node.id === selected?.id ? (
                    details
                  ) : (
                    <Relations of={neighbours.get(node.id) ?? []} onSelect={select} />
                  )}
                </article>
              )}
            />
          ) : (
            <>
              <Picture
                graph={graph}
                neighbours={neighbours}
                selected={selected?.id}
                onSelect={select}
                onStart={start}
              />
              <ul class="line node-legend" aria-label={t.legend}>
                {TYPES.map((type) => (
                  <li key={type} class={`node-type ${type}`}>
                    {t.types[type]}
                  </li>
                ))}
              </ul>
              <p class="hint">{t.keys}</p>
            </>
          )}
        </Tabs>
      </div>
      {as === 'picture' ? details : null}
    </div>
  );
}

/** Entities and relations of what was learned, by weight. */
export default function GraphPage(): JSX.Element {
  const t = inLanguage(texts);
  const [view, change] = useQuery(VIEW);
  // It changes with learnings, whose events come before their graph is written.
  const graph = useResource('GET /graph', { query: queryOf(view) }, ({ type }) => type === 'task.completed');
  const isNarrowed = [view.q, view.type, view.project, view.node].some((value) => value !== undefined);
  const all = { q: undefined, type: undefined, project: undefined, node: undefined, selected: undefined };
  return (
    <div class="page">
      <header class="line">
        <h1>{t.title}</h1>
        {graph.data === undefined ? null : (
          <span role="status">{t.picture(graph.data.nodes.length, graph.data.edges.length)}</span>
        )}
      </header>
      <search class="filters">
        <FilterField
          label={t.names}
          maxLength={200}
          value={view.q}
          onValue={(q) => change({ q, node: undefined }, REPLACE)}
        />
        <Select
          label={t.type}
          value={view.type}
          options={TYPES.map((value) => ({ value, text: t.types[value] }))}
          onValue={(type) => change({ type })}
        />
        <FilterField label={t.project} value={view.project} onValue={(project) => change({ project }, REPLACE)} />
        <Choice
          label={t.size}
          value={String(view.limit)}
          options={SIZES.map((each) => ({ value: String(each), text: t.sizes(each) }))}
          onValue={(limit) => change({ limit: Number(limit) })}
        />
      </search>
      {view.node === undefined ? null : (
        <p class="line">
          {t.around}
          <button type="button" onClick={() => change(all)}>
            {t.showAll}
          </button>
        </p>
      )}
      <LoadedView of={graph}>
        {(data) =>
          data.nodes.length > 0 ? (
            <Shown graph={data} />
          ) : isNarrowed ? (
            <NoMatch title={t.noMatch} onClear={() => change(all)} />
          ) : (
            <ConnectAgent title={t.empty}>
              <p>{t.emptyHint}</p>
            </ConnectAgent>
          )
        }
      </LoadedView>
    </div>
  );
}
