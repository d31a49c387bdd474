import type { SimulationNodeDatum } from 'd3-force';
import type { Graph } from '../../contract/index.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placed extends Point {
  readonly id: string;
}

/** The picture, in its own units. */
export const WIDTH = 1_000;
export const HEIGHT = 640;
const MARGIN = 40;
/** Computing of one slice; a frame has also the rest of the page. */
const SLICE_MS = 12;

/** Returns the radius of a node: its area grows with its weight. */
export function radiusOf(weight: number, most: number): number {
  return 5 + 13 * Math.sqrt(Math.max(0, weight) / Math.max(1, most));
}

/** Awaits the next frame; also in a hidden tab, which has no frames. */
function nextFrame(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** A simulation of d3-force, which ends when `alpha` is below `alphaMin`. */
interface Ticking {
  tick(): unknown;
  alpha(): number;
  alphaMin(): number;
}

/** Computes a simulation to its end, in slices between which the page can react. Returns false if `signal` stopped it. */
export async function computeInSlices(
  simulation: Ticking,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
  rest: () => Promise<void> = nextFrame,
): Promise<boolean> {
  while (simulation.alpha() >= simulation.alphaMin()) {
    const start = now();
    do simulation.tick();
    while (now() - start < SLICE_MS && simulation.alpha() >= simulation.alphaMin());
    await rest();
    if (signal.aborted) return false;
  }
  return true;
}

/** Returns points moved and scaled so that they fill the picture; a single one is in its middle. */
export function fitted(points: readonly Placed[]): readonly Placed[] {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const width = Math.max(...xs) - left;
  const height = Math.max(...ys) - top;
  const scale = Math.min((WIDTH - 2 * MARGIN) / Math.max(1, width), (HEIGHT - 2 * MARGIN) / Math.max(1, height), 2.5);
  return points.map(({ id, x, y }) => ({
    id,
    x: WIDTH / 2 + (x - left - width / 2) * scale,
    y: HEIGHT / 2 + (y - top - height / 2) * scale,
  }));
}

/** Returns a place for each node, the same for the same graph; null if `signal` stopped it. The library is loaded here, at the first picture. */
export async function layOut({ nodes, edges }: Graph, signal: AbortSignal): Promise<readonly Placed[] | null> {
  const { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } = await import('d3-force');
  const most = Math.max(...nodes.map(({ weight }) => weight));
  const known = new Set(nodes.map(({ id }) => id));
  const points: (SimulationNodeDatum & { id: string; radius: number })[] = nodes.map(({ id, weight }) => ({
    id,
    radius: radiusOf(weight, most),
  }));
  const links = edges
    .filter(({ from, to }) => known.has(from) && known.has(to))
    .map(({ from, to }) => ({ source: from, target: to }));
  const simulation = forceSimulation(points)
    .stop()
    .force(
      'link',
      forceLink<(typeof points)[number], (typeof links)[number]>(links)
        .id(({ id }) => id)
        .distance(70),
    )
    .force('charge', forceManyBody().strength(-160).distanceMax(400))
    .force(
      'collide',
      forceCollide<(typeof points)[number]>(({ radius }) => radius + 6),
    )
    // The picture is wider than high.
    .force('x', forceX(0).strength(0.05))
    .force('y', forceY(0).strength(0.09));
  const isComplete = await computeInSlices(simulation, signal);
  return isComplete ? fitted(points.map(({ id, x = 0, y = 0 }) => ({ id, x, y }))) : null;
}

const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Returns the node that an arrow key moves to: the nearest one within 60° of its direction; null for other keys and at the edge. */
export function nodeTowards(points: readonly Placed[], from: Point, key: string): Placed | null {
  const direction = DIRECTIONS[key];
  if (direction === undefined) return null;
  let nearest: Placed | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const point of points) {
    const [dx, dy] = [point.x - from.x, point.y - from.y];
    const along = dx * direction.x + dy * direction.y;
    const across = Math.abs(dx * direction.y) + Math.abs(dy * direction.x);
    if (along <= 0 || across > along * Math.sqrt(3)) continue;
    const cost = along + 2 * across;
    if (cost < least) [least, nearest] = [cost, point];
  }
  return nearest;
}
