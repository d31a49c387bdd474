import type { JSX } from 'preact';
import type { GraphEdge, GraphNode, Neighbour } from './view.ts';
import { useResource } from '../../link/resource.ts';
import { Quoted, Text } from '../../parts/quoted.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { addressOfMemory } from '../../parts/places.ts';
import { LoadedView } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { texts } from './texts.ts';

const MOST_RELATIONS = 20;

/** Returns the page that shows where an entity was named. */
function addressOfSource({ session_id: session, source_type: type, source_id: source }: GraphNode['evidence'][number]) {
  return addressOfMemory({ id: source, type, session: { id: session } }) ?? '/';
}

function Quotes({ of }: { readonly of: GraphEdge['evidence'] }): JSX.Element {
  const t = inLanguage(texts);
  return (
    <ul class="evidence">
      {of.map((each) => (
        <li key={`${each.source_id} ${each.quote ?? ''}`}>
          {each.quote === null ? null : <Quoted text={each.quote} />}
          <a href={addressOfSource(each)}>{t.sources[each.source_type]}</a>{' '}
          <span class="muted">
            <RelativeTime at={each.occurred_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The relations of a node, as sentences whose other end is a button. */
export function Relations(props: {
  readonly of: readonly Neighbour[];
  readonly onSelect: (id: string) => void;
}): JSX.Element {
  const t = inLanguage(texts);
  return (
    <ul class="relations">
      {props.of.slice(0, MOST_RELATIONS).map(({ edge, node, isIncoming }) => (
        <li key={edge.id}>
          <span class="muted">{isIncoming ? t.incoming[edge.type] : t.outgoing[edge.type]}</span>{' '}
          <button type="button" class="quiet" onClick={() => props.onSelect(node.id)}>
            <Text text={node.label} />
          </button>
        </li>
      ))}
      {props.of.length > MOST_RELATIONS ? (
        <li class="muted">{t.moreRelations(props.of.length - MOST_RELATIONS)}</li>
      ) : null}
    </ul>
  );
}

/** The selected node: its relations and the quotes that name it. The quotes are read when they are shown. */
export function NodeDetails(props: {
  readonly node: GraphNode;
  readonly neighbours: readonly Neighbour[];
  readonly onSelect: (id: string) => void;
  readonly onStart: (id: string) => void;
}): JSX.Element {
  const { node, neighbours, onSelect, onStart } = props;
  const t = inLanguage(texts);
  const around = useResource('GET /graph', { query: { node: node.id, limit: 1 } });
  return (
    <section class="stack node-details" aria-label={t.selected}>
      <h2>
        <Text text={node.label} />
      </h2>
      <p class="details">
        {t.types[node.type]}
        {' · '}
        {t.weight} {node.weight.toFixed(1)}
        {' · '}
        <RelativeTime at={node.last_seen} />
      </p>
      <button type="button" onClick={() => onStart(node.id)}>
        {t.startHere}
      </button>
      <h3>{t.relations}</h3>
      {neighbours.length === 0 ? (
        <p class="muted">{t.noRelations}</p>
      ) : (
        <Relations of={neighbours} onSelect={onSelect} />
      )}
      <h3>{t.evidence}</h3>
      <LoadedView of={around}>
        {({ nodes }) => {
          const evidence = nodes.find(({ id }) => id === node.id)?.evidence ?? [];
          return evidence.length === 0 ? <p class="muted">{t.noEvidence}</p> : <Quotes of={evidence} />;
        }}
      </LoadedView>
    </section>
  );
}
