/** The memory of processes at one time. */
export interface MemorySample {
  readonly atMs: number;
  readonly mib: ReadonlyMap<string, number>;
}

const TEN_MINUTES_MS = 600_000;

/** Returns the slope of a line through the points by least squares, in percent of their mean per ten minutes; NaN for fewer than two. */
export function slopeOf(points: readonly { readonly atMs: number; readonly value: number }[]): number {
  const mean = (of: (point: (typeof points)[number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const meanMs = mean(({ atMs }) => atMs);
  const meanValue = mean(({ value }) => value);
  const shared = mean(({ atMs, value }) => (atMs - meanMs) * (value - meanValue));
  const spread = mean(({ atMs }) => (atMs - meanMs) ** 2);
  return ((shared / spread) * TEN_MINUTES_MS * 100) / meanValue;
}

/** Returns for each process the slope of its memory in percent per ten minutes, and its mean in MiB. */
export function memorySlopes(samples: readonly MemorySample[]): Record<string, { mib: number; slope_percent: number }> {
  const names = [...new Set(samples.flatMap(({ mib }) => [...mib.keys()]))];
  return Object.fromEntries(
    names.map((name) => {
      const points = samples.flatMap(({ atMs, mib }) => {
        const value = mib.get(name);
        return value === undefined ? [] : [{ atMs, value }];
      });
      const mib = points.reduce((sum, { value }) => sum + value, 0) / points.length;
      return [name, { mib: Math.round(mib), slope_percent: Math.round(slopeOf(points) * 100) / 100 }];
    }),
  );
}
