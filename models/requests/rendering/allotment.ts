/** A part that competes for tokens. */
export interface Claimant {
  /** Importance relative to others of the same length. */
  readonly weight: number;
  /** Its full size. */
  readonly wants: number;
  /** Most tokens while others of equal importance are cut. */
  readonly cap: number;
  /** Fewest tokens (or its full size) if it is shown at all. */
  readonly floor: number;
  /** Tokens of its mark. */
  readonly overhead: number;
}

/** Share of the budget for floors: the rest goes to the parts that were cut most. */
const FLOOR_SHARE = 0.7;

/**
 * Distributes `budget` tokens. Each claimant gets its floor; the least important ones are omitted (null) if the floors exceed the budget.
 * The rest is distributed by weight up to the caps, then by weight up to the full sizes.
 */
export function allot(claimants: readonly Claimant[], budget: number): readonly (number | null)[] {
  const shown = admitted(claimants, budget);
  const spent = sum([...shown].map(({ overhead }) => overhead));
  const space = Math.max(0, budget - spent);
  const capped = (claimant: Claimant) => Math.min(claimant.wants, Math.max(claimant.cap, floorOf(claimant)));
  const all = [...shown];
  const underCaps = sum(all.map(capped));
  const level =
    underCaps > space ? levelFor(all, space, floorOf, capped) : levelFor(all, space, capped, ({ wants }) => wants);
  return claimants.map((claimant) => {
    if (!shown.has(claimant)) return null;
    return underCaps > space
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

/** Returns the claimants whose floors fit: by weight, then the later ones, which show the final state of the work. */
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

/** Returns the level at which all shares, weight × level between two bounds, fill the budget. */
function levelFor(
  claimants: readonly Claimant[],
  space: number,
  low: (claimant: Claimant) => number,
  high: (claimant: Claimant) => number,
): number {
  let below = 0;
  let above = Math.max(1, ...claimants.map((claimant) => high(claimant) / claimant.weight));
  const all = sum(claimants.map(high));
  if (all <= space) return 2 * above;
  for (let step = 0; step < HALVINGS; step += 1) {
    const level = (below + above) / 2;
    const taken = sum(claimants.map((claimant) => between(claimant.weight * level, low(claimant), high(claimant))));
    if (taken > space) above = level;
    else below = level;
  }
  return below;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
