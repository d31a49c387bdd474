import type { SourceRow } from '../../domain/ports/model.ts';

export type Tier = 'small' | 'large';

/**
 * Which model a window goes to. A short window in which nothing failed is a list of what was done, which the small model tells as
 * well; why something failed and what mended it is told better by the large one, and so is a long window, of which much is left
 * out. Session summaries and learnings always go to the large model.
 */
export function tierOfWindow(rows: readonly SourceRow[], smallWindowTokens: number): Tier {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  if (smallWindowTokens === 0 || tokens > smallWindowTokens) return 'large';
  return rows.some(({ type }) => type === 'error') ? 'large' : 'small';
}
