import type { SourceRow } from '../../domain/ports/model.ts';
import type { Call } from './calls.ts';
import type { Sentence } from './segments.ts';

/** From one user prompt to the next: what was asked, done and said. */
export interface Turn {
  readonly from: number;
  readonly to: number;
  readonly asked: readonly Sentence[];
  readonly said: readonly Sentence[];
  readonly calls: readonly Call[];
}

/** Cuts a window at its user prompts; what comes before the first one is a turn of its own. */
export function turnsOf(
  rows: readonly SourceRow[],
  sentences: readonly Sentence[],
  calls: readonly Call[],
): readonly Turn[] {
  const starts = rows.flatMap((row, index) => (row.role === 'prompt' && row.type === 'user' ? [index] : []));
  const bounds = starts[0] === 0 ? starts : [0, ...starts];
  return bounds.map((from, index) => {
    const to = bounds[index + 1] ?? rows.length;
    const inside = sentences.filter(({ rowIndex }) => rowIndex >= from && rowIndex < to);
    return {
      from,
      to,
      asked: inside.filter(({ row }) => row.type === 'user'),
      said: inside.filter(({ row }) => row.type !== 'user'),
      calls: calls.filter(({ rowIndex }) => rowIndex >= from && rowIndex < to),
    };
  });
}
