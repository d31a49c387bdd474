import type { Graph } from '../../contract/index.ts';
import type { QueryOf } from '../../link/ask.ts';
import { choiceParameter, numberParameter, textParameter } from '../../router/query.ts';
import type { StateOf } from '../../router/query.ts';

export type GraphNode = Graph['nodes'][number];
export type GraphEdge = Graph['edges'][number];

export const TYPES = ['concept', 'tool', 'error', 'solution', 'project', 'file'] as const;
/** Nodes by default. */
export const FEW_NODES = 60;
const MOST_NODES = 200;
export const SIZES = [30, FEW_NODES, 120, MOST_NODES] as const;

/** What the page shows, in its address. */
export const VIEW = {
  q: textParameter(),
  type: choiceParameter(TYPES),
  project: textParameter(),
  /** Id of the entity to start at, instead of the highest weights. */
  node: textParameter(),
  limit: numberParameter(FEW_NODES, 1, MOST_NODES),
  /** Id of the selected entity. */
  selected: textParameter(),
  /** Default: the picture in a wide window. */
  as: choiceParameter(['picture', 'list']),
} as const;
export type View = StateOf<typeof VIEW>;

/** Returns the query of the nodes by weight, without quotes: half of an answer is evidence. */
export function queryOf({ q, type, project, node, limit }: View): QueryOf<'GET /graph'> {
  // The API starts at a node or at names, not at both.
  return { q: node === undefined ? q : undefined, node, type, project, limit, evidence: false };
}

/** A relation as one of its ends sees it. */
export interface Neighbour {
  readonly edge: GraphEdge;
  readonly node: GraphNode;
  /** Whether the relation starts at the other end. */
  readonly isIncoming: boolean;
}

/** Returns the relations of every node, those of higher weight first. */
export function neighboursOf({ nodes, edges }: Graph): ReadonlyMap<string, readonly Neighbour[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<string, Neighbour[]>(nodes.map(({ id }) => [id, []]));
  for (const edge of edges.toSorted((a, b) => b.weight - a.weight)) {
    const from = byId.get(edge.from);
    const to = byId.get(edge.to);
    if (from === undefined || to === undefined) continue;
    found.get(from.id)?.push({ edge, node: to, isIncoming: false });
    if (from !== to) found.get(to.id)?.push({ edge, node: from, isIncoming: true });
  }
  return found;
}
