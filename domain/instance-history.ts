/** Counters whose rates are shown. */
export const RATE_COUNTERS = ['captures', 'searches', 'requests'] as const;
export type RateCounter = (typeof RATE_COUNTERS)[number];

/** Counters of a process at one moment, to compute rates from two. */
export interface Counted {
  readonly atMs: number;
  readonly counts: Readonly<Record<RateCounter, number>>;
}

/** Events per second. */
export type Rates = Readonly<Record<RateCounter, number>>;

/** Returns the rates between two moments of a process; null without an earlier one and after a restart, whose counters begin at 0. */
export function ratesBetween(before: Counted | null, now: Counted): Rates | null {
  if (before === null || RATE_COUNTERS.some((name) => now.counts[name] < before.counts[name])) return null;
  const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1_000);
  const rate = (name: RateCounter): number => (now.counts[name] - before.counts[name]) / seconds;
  return { captures: rate('captures'), searches: rate('searches'), requests: rate('requests') };
}

/** Returns the sum of the rates of processes; null if none has rates. */
export function sumRates(all: readonly (Rates | null)[]): Rates | null {
  const known = all.filter((rates) => rates !== null);
  if (known.length === 0) return null;
  const sum = (name: RateCounter): number => known.reduce((total, rates) => total + rates[name], 0);
  return { captures: sum('captures'), searches: sum('searches'), requests: sum('requests') };
}
