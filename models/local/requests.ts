import { hasCue, isQuestion, isThin } from './cues.ts';
import type { Scored } from './ranking.ts';

/**
 * The sentence that says best what the user asked for; earlier ones win ties. Undefined where the user said nothing of the
 * kind ("ok", "commit and push").
 */
export function requestOf<Item extends Scored>(sentences: readonly Item[]): Item | undefined {
  const asked = sentences.filter(({ row, text }) => row.role === 'prompt' && row.type === 'user' && !isThin(text));
  return asked.reduce<Item | undefined>(
    (best, next) => (best === undefined || worth(next) > worth(best) ? next : best),
    undefined,
  );
}

function worth({ text, terms, score, place, rowIndex }: Scored): number {
  return (
    0.5 * score +
    (hasCue(text, 'goal') ? 0.5 : 0) +
    (isQuestion(text) ? 0.15 : 0) +
    (hasCue(text, 'label') ? 0.6 : 0) +
    Math.min(terms.length, 14) / 28 -
    (hasCue(text, 'rule') ? 0.2 : 0) -
    0.1 * place -
    rowIndex / 150
  );
}

/** True if the sentence asks for something or settles something, so that it can stand as a title. */
export function isRequest({ text }: Pick<Scored, 'text'>): boolean {
  return hasCue(text, 'goal') || hasCue(text, 'label') || isQuestion(text);
}
