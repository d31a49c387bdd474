export interface ChartPoint {
  readonly label: string;
  /** One value for each series. */
  readonly values: readonly number[];
}

/** Returns round values from 0 to at least `most`, for the lines of a chart. */
export function ticksTo(most: number, count = 4): readonly number[] {
  if (most <= 0) return [0, 1];
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= raw) ?? 10 * power;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < most) ticks.push(ticks.length * step);
  return ticks;
}
