import { describe, expect, test } from 'vitest';
import type { Graph } from '../../viewer/contract/index.ts';
import { HEIGHT, WIDTH, computeInSlices, layOut, nodeTowards } from '../../viewer/pages/graph/layout.ts';
import { VIEW, neighboursOf, queryOf } from '../../viewer/pages/graph/view.ts';
import { readQuery } from '../../viewer/router/query.ts';

const TIME = '2026-01-01T00:00:00.000Z';

/** A graph in which each node has relations to later ones. */
function graphOf(nodes: number, edges: number): Graph {
  const idOf = (index: number) => `node-${index % nodes}`;
  return {
    nodes: Array.from({ length: nodes }, (_, index) => ({
      id: idOf(index),
      type: 'concept',
      name: idOf(index),
      label: idOf(index),
      weight: nodes - index,
      distance: 0,
      project_id: null,
      namespace: 'default',
      first_seen: TIME,
      last_seen: TIME,
      evidence: [],
    })),
    edges: Array.from({ length: edges }, (_, index) => ({
      id: `edge-${index}`,
      type: 'uses',
      from: idOf(index),
      to: idOf(index * 7 + 1 + Math.floor(index / nodes)),
      weight: 1 + (index % 3),
      first_seen: TIME,
      last_seen: TIME,
      evidence: [],
    })),
  };
}

describe('the layout of a graph', () => {
  test('places 200 nodes with 800 relations within the picture, apart, and twice at the same places', async () => {
    const graph = graphOf(200, 800);
    const places = (await layOut(graph, new AbortController().signal)) ?? [];
    expect(places).toHaveLength(200);
    for (const { x, y } of places) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(WIDTH);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(HEIGHT);
    }
    expect(new Set(places.map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`)).size).toBe(200);
    expect(await layOut(graph, new AbortController().signal)).toEqual(places);
  });

  test('has one node in the middle, and leaves out relations to nodes that are not shown', async () => {
    const graph = graphOf(1, 0);
    const [edge] = graphOf(2, 1).edges;
    const places = await layOut({ ...graph, edges: edge === undefined ? [] : [edge] }, new AbortController().signal);
    expect(places).toEqual([{ id: 'node-0', x: WIDTH / 2, y: HEIGHT / 2 }]);
  });

  test('is computed in slices of which each ends soon after 12 ms, and stops when it is no longer wanted', async () => {
    let clock = 0;
    let ticks = 0;
    const slices: number[] = [];
    const abort = new AbortController();
    const simulation = {
      tick: () => {
        clock += 5;
        ticks += 1;
      },
      alpha: () => 1 - ticks / 100,
      alphaMin: () => 0.5,
    };
    const rest = () => {
      slices.push(clock);
      clock = 0;
      return Promise.resolve();
    };
    expect(await computeInSlices(simulation, abort.signal, () => clock, rest)).toBe(true);
    expect(Math.max(...slices)).toBeLessThanOrEqual(15);
    ticks = 0;
    abort.abort();
    expect(await computeInSlices(simulation, abort.signal, () => clock, rest)).toBe(false);
    expect(ticks).toBe(3);
  });
});

test.each([
  ['ArrowRight', 'east'],
  ['ArrowLeft', 'west'],
  ['ArrowUp', 'north'],
  ['ArrowDown', null],
  ['Enter', null],
])('%s moves from the middle to %s', (key, id) => {
  const points = [
    { id: 'east', x: 30, y: 5 },
    { id: 'far-east', x: 60, y: 0 },
    { id: 'west', x: -80, y: 40 },
    { id: 'north', x: 10, y: -50 },
    { id: 'itself', x: 0, y: 0 },
  ];
  expect(nodeTowards(points, { x: 0, y: 0 }, key)?.id ?? null).toBe(id);
});

test('lists relations at both ends, those of higher weight first', () => {
  const graph = graphOf(5, 10);
  const neighbours = neighboursOf(graph);
  const ends = graph.edges.reduce((sum, { from, to }) => sum + (from === to ? 1 : 2), 0);
  expect([...neighbours.values()].reduce((sum, { length }) => sum + length, 0)).toBe(ends);
  for (const relations of neighbours.values()) {
    const weights = relations.map(({ edge }) => edge.weight);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  }
});

test('starts at a node or at names, not at both, and requests no quotes', () => {
  const query = queryOf(readQuery(VIEW, '?q=money&node=1&limit=900'));
  expect(query).toMatchObject({ node: '1', q: undefined, limit: 60, evidence: false });
});
