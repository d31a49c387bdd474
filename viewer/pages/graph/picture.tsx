import type { JSX } from 'preact';
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import type { Graph } from '../../contract/index.ts';
import { asAskError } from '../../link/ask.ts';
import type { AskError } from '../../link/ask.ts';
import { partsOf } from '../../parts/escaped.ts';
import { ErrorNote, Skeleton } from '../../parts/states.tsx';
import { inLanguage } from '../../texts/language.ts';
import { HEIGHT, WIDTH, layOut, nodeTowards, radiusOf } from './layout.ts';
import type { Placed } from './layout.ts';
import { texts } from './texts.ts';
import type { Neighbour } from './view.ts';

/** Labels without a selection: those of the highest weights. */
const MOST_LABELS = 25;
const LABEL_LENGTH = 28;

/** Returns the places of a graph, once they are computed, or the error of the file that computes them. */
function useLayout(graph: Graph): { readonly places: readonly Placed[] | null; readonly error: AskError | null } {
  const [places, setPlaces] = useState<readonly Placed[] | null>(null);
  const [error, setError] = useState<AskError | null>(null);
  // An answer with the same nodes and relations has the same picture.
  const shape = `${graph.nodes.map(({ id }) => id).join()} ${graph.edges.map(({ id }) => id).join()}`;
  useEffect(() => {
    const abort = new AbortController();
    setError(null);
    layOut(graph, abort.signal).then(
      (laidOut) => {
        if (laidOut !== null) setPlaces(laidOut);
      },
      (fault: unknown) => setError(asAskError(fault)),
    );
    return () => abort.abort();
  }, [shape]);
  return { places, error };
}

/** Returns a label as text of a picture, where elements for code points have no place. */
function labelOf(label: string): string {
  const text = partsOf(label.replaceAll(/\s+/gu, ' '))
    .map((part) => part.text)
    .join('');
  return text.length > LABEL_LENGTH ? `${text.slice(0, LABEL_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

/** The graph as a picture: a list box whose options are the nodes. Arrows move between them, Enter starts at the selected one. */
export function Picture(props: {
  readonly graph: Graph;
  readonly neighbours: ReadonlyMap<string, readonly Neighbour[]>;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly onStart: (id: string) => void;
}): JSX.Element {
  const { graph, neighbours, selected, onSelect, onStart } = props;
  const t = inLanguage(texts);
  const id = useId();
  const { places, error } = useLayout(graph);
  const placeOf = useMemo(() => new Map(places?.map((place) => [place.id, place])), [places]);
  const near = new Set(neighbours.get(selected ?? '')?.map(({ node }) => node.id));
  const most = Math.max(...graph.nodes.map(({ weight }) => weight));
  if (error !== null) return <ErrorNote error={error} />;
  if (places === null) return <Skeleton lines={10} />;
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = placeOf.get(selected ?? '');
    if (event.key === 'Enter' && from !== undefined) onStart(from.id);
    else {
      const first = graph.nodes.find((node) => placeOf.has(node.id))?.id;
      const next = event.key.startsWith('Arrow')
        ? from === undefined
          ? first
          : nodeTowards(places, from, event.key)?.id
        : undefined;
      if (!event.key.startsWith('Arrow')) return;
      if (next !== undefined) onSelect(next);
    }
    event.preventDefault();
  };
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      class={selected === undefined ? 'graph' : 'graph has-selection'}
      role="listbox"
      aria-label={t.picture(graph.nodes.length, graph.edges.length)}
      aria-activedescendant={selected === undefined ? undefined : `${id}-${selected}`}
      tabindex={0}
      onKeyDown={onKeyDown}
    >
      {graph.edges.map(({ id: edge, from, to }) => {
        const [start, end] = [placeOf.get(from), placeOf.get(to)];
        if (start === undefined || end === undefined) return null;
        const isNear = from === selected || to === selected;
        return <line key={edge} class={isNear ? 'near' : undefined} x1={start.x} y1={start.y} x2={end.x} y2={end.y} />;
      })}
      {graph.nodes.map((node, index) => {
        const place = placeOf.get(node.id);
        if (place === undefined) return null;
        const isSelected = node.id === selected;
        const isNear = isSelected || near.has(node.id);
        const radius = radiusOf(node.weight, most);
        const label = labelOf(node.label);
        return (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the picture has the keys and the focus
          <g
            key={node.id}
            id={`${id}-${node.id}`}
            role="option"
            aria-selected={isSelected}
            aria-label={t.nodeLabel(label, t.types[node.type], neighbours.get(node.id)?.length ?? 0)}
            class={`node ${node.type}${isNear ? ' near' : ''}`}
            onClick={() => onSelect(node.id)}
          >
            <title>{label}</title>
            <circle cx={place.x} cy={place.y} r={radius} />
            {isNear || (selected === undefined && index < MOST_LABELS) ? (
              <text x={place.x} y={place.y - radius - 4} text-anchor="middle">
                {label}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}
