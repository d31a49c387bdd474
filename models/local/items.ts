import type { ItemDraft, SourceRow } from '../../domain/ports/model.ts';
import { termsOf } from '../../domain/text/terms.ts';
import type { Call } from './calls.ts';
import { changeItems } from './item-changes.ts';
import { bugfixItems } from './item-repairs.ts';
import { statementItems } from './item-statements.ts';
import { alreadySaid } from './ranking.ts';
import type { Sentence } from './segments.ts';

const MAX_ITEMS = 8;

/** An item and where in the window it belongs. */
export interface PlacedItem extends ItemDraft {
  readonly rowIndex: number;
}

/** The typed notes of a window, at most eight: the most important ones, in reading order, none said twice. */
export function itemsOf(
  rows: readonly SourceRow[],
  sentences: readonly Sentence[],
  calls: readonly Call[],
): readonly ItemDraft[] {
  const candidates: readonly PlacedItem[] = [
    ...bugfixItems(sentences, calls),
    ...statementItems(sentences),
    ...changeItems(rows, sentences, calls),
  ];
  const byImportance = [...candidates].sort((a, b) => b.importance - a.importance || a.rowIndex - b.rowIndex);
  const chosen: PlacedItem[] = [];
  for (const item of byImportance) {
    if (chosen.length === MAX_ITEMS) break;
    if (
      !alreadySaid(
        termsOf(item.title),
        chosen.map(({ title, content }) => termsOf(`${title} ${content}`)),
      )
    )
      chosen.push(item);
  }
  return chosen
    .sort((a, b) => a.rowIndex - b.rowIndex)
    .map(({ kind, title, content, tags, importance, evidence }) => ({
      kind,
      title,
      content,
      tags,
      importance,
      evidence,
    }));
}
