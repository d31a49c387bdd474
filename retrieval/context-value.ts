const DAY_MS = 86_400_000;
/** Half-life of recency. */
const HALF_LIFE_DAYS = 30;
/** Weights of context packing (retrieval.md). */
const WEIGHTS = { relevance: 0.4, importance: 0.25, recency: 0.2, use: 0.15 } as const;
/** Use saturates here. */
const MUCH_USE = 50;

export interface Worth {
  /** 0–1 */
  readonly importance: number;
  readonly at: Date;
  readonly useWeight: number;
}

/** Returns the age in full UTC days, so that the same memory gives the same bytes all day. */
function ageDays(at: Date, now: Date): number {
  return Math.max(0, Math.floor(now.getTime() / DAY_MS) - Math.floor(at.getTime() / DAY_MS));
}

function besides({ importance, at, useWeight }: Worth, now: Date): number {
  const recency = 2 ** (-ageDays(at, now) / HALF_LIFE_DAYS);
  const use = Math.min(1, Math.log1p(useWeight) / Math.log1p(MUCH_USE));
  return WEIGHTS.importance * importance + WEIGHTS.recency * recency + WEIGHTS.use * use;
}

/** Returns the value of a memory for a purpose, 0–1: relevance 0.40, importance 0.25, recency 0.20, use 0.15. */
export function currentValue(relevance: number, worth: Worth, now: Date): number {
  return WEIGHTS.relevance * relevance + besides(worth, now);
}

/**
 * Returns the value of a memory for a query, 0–1. Importance, recency and use are scaled by relevance: a new and often used memory that is
 * irrelevant is no answer.
 */
export function answerValue(relevance: number, worth: Worth, now: Date): number {
  return relevance * (WEIGHTS.relevance + besides(worth, now));
}
