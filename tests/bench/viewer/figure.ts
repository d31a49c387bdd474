/** A measured figure beside its target, which is the most that it may be. */
export interface Figure {
  readonly value: number;
  readonly target: number;
  readonly met: boolean;
}

/** Returns a figure with two digits. */
export function atMost(target: number, value: number): Figure {
  return { value: Math.round(value * 100) / 100, target, met: value <= target };
}
