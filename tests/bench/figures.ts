/** Returns the percentile of the samples, in milliseconds with two digits. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}

/** Runs `work` sequentially `count` times; returns the duration of each run. */
export async function timings(count: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const started = performance.now();
    await work(index);
    samples.push(performance.now() - started);
  }
  return samples;
}

/** Returns the median of the samples, with two digits. */
export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

/** Result of a part: figures to print, and missed targets. */
export interface RecallFigures {
  readonly skipped?: string;
  /** One line per missed target. */
  readonly missed?: readonly string[];
  readonly [figure: string]: unknown;
}
