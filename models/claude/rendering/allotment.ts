/** What may be shown of something, in tokens. */
export interface Claimant {
  /** How much it matters against others of the same length. */
  readonly weight: number;
  /** All of it. */
  readonly wants: number;
  /** What it gets at most while others that matter as much are cut. */
  readonly cap: number;
  /** Shown at all, it gets this much (or all of it). */
  readonly floor: number;
  /** What its mark costs. */
  readonly overhead: number;
}

/** Of the budget, what floors may take: the rest goes to what was cut most. */
const FLOOR_SHARE = 0.7;

/**
 * Spreads `budget` tokens. Each claimant gets its floor, those that matter least being left out (null) where even that is too much;
 * the rest is spread by weight up to the caps, and what is then left by weight up to all of it.
 */
export function allot(claimants: readonly Claimant[], budget: number): readonly (number | null)[] {
  const shown = admitted(claimants, budget);
  const spent = sum([...shown].map(({ overhead }) => overhead));
  const room = Math.max(0, budget - spent);
  const capped = (claimant: Claimant) => Math.min(claimant.wants, Math.max(claimant.cap, floorOf(claimant)));
  const all = [...shown];
  const underCaps = sum(all.map(capped));
  const level =
    underCaps > room ? levelFor(all, room, floorOf, capped) : levelFor(all, room, capped, ({ wants }) => wants);
  return claimants.map((claimant) => {
    if (!shown.has(claimant)) return null;
    return underCaps > room
      ? between(claimant.weight * level, floorOf(claimant), capped(claimant))
      : between(claimant.weight * level, capped(claimant), claimant.wants);
  });
}

function floorOf({ floor, wants }: Claimant): number {
  return Math.min(floor, wants);
}

function between(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Those whose floors fit: the weightiest, and of equals the later, because it is the state that the work was left in. */
function admitted(claimants: readonly Claimant[], budget: number): ReadonlySet<Claimant> {
  const ranked = claimants
    .map((claimant, place) => ({ claimant, place }))
    .sort((a, b) => b.claimant.weight - a.claimant.weight || b.place - a.place);
  const needs = (claimant: Claimant) => floorOf(claimant) + claimant.overhead;
  const total = sum(claimants.map(needs));
  if (total <= budget) return new Set(claimants);
  const shown = new Set<Claimant>();
  let used = 0;
  for (const { claimant } of ranked) {
    if (used + needs(claimant) > budget * FLOOR_SHARE) break;
    used += needs(claimant);
    shown.add(claimant);
  }
  return shown;
}

const HALVINGS = 40;

/** The level at which everybody's share, weight × level between two bounds, takes up the room. */
function levelFor(
  claimants: readonly Claimant[],
  room: number,
  low: (claimant: Claimant) => number,
  high: (claimant: Claimant) => number,
): number {
  let below = 0;
  let above = Math.max(1, ...claimants.map((claimant) => high(claimant) / claimant.weight));
  const all = sum(claimants.map(high));
  if (all <= room) return 2 * above;
  for (let step = 0; step < HALVINGS; step += 1) {
    const level = (below + above) / 2;
    const taken = sum(claimants.map((claimant) => between(claimant.weight * level, low(claimant), high(claimant))));
    if (taken > room) above = level;
    else below = level;
  }
  return below;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
