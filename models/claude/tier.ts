import type { SourceRow } from '../../domain/ports/model.ts';

export type Tier = 'small' | 'large';

/**
 * Selects the model of a window. A short window without failures is a list of completed work, which the small model summarises as well; the
 * large one explains failures and fixes better, and long windows, of which much is omitted. Session summaries and learnings always use the
 * large model.
 */
export function tierOfWindow(rows: readonly SourceRow[], smallWindowTokens: number): Tier {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  if (smallWindowTokens === 0 || tokens > smallWindowTokens) return 'large';
  return rows.some(({ type }) => type === 'error') ? 'large' : 'small';
}
