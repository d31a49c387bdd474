/**
 * Weights of the chance that people see as the score: log-odds, linear in the evidence (`domain/ranking/chance.ts`). Printed by
 * `npm run bench:recall -- --only calibration`; figures in docs/search.md.
 */
export interface Calibration {
  /** That some memory fits the query. */
  readonly fits: Readonly<Record<'bias' | keyof typeof MIDDLE, number>>;
  /** That one result is relevant: by the log-odds above, and the logarithm of its rank. */
  readonly result: { readonly bias: number; readonly fits: number; readonly rank: number };
  /** Below this chance nothing fits. */
  readonly least: number;
}

/** Evidence is counted from here, in tenths; unknown evidence counts as this. */
export const MIDDLE = { similarity: 0.66, cover: 0.3, agreement: 0.2 } as const;
/** Limit of the log-odds of fitting in a result's chance. */
export const CERTAIN = 4;

/** On the scale of the default model (`likenessOf`). Fitted on 24 November 2026 on 124 related and 380 unrelated queries (docs/search.md). */
export const DEFAULT_CALIBRATION: Calibration = {
  fits: { bias: -0.85, similarity: 2.1, cover: 1.635, agreement: 0.893 },
  result: { bias: -1.567, fits: 0.619, rank: -0.9 },
  least: 0.35,
};
