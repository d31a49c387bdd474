import { isEcho, isQuestion } from './judgement.ts';
import type { RubricItem } from './rubric.ts';

// The rule: an item is found if one statement contains every group of its terms, each at the start of a word. A question and a bare echo of a
// tool state nothing and match nothing, except that an echo may name a file that matters. Terms were chosen over vectors: they need no model,
// and a reader can check why an item counts. The share of items that statements of other sessions match measures how often the rule is wrong.

/** Returns whether the statement contains the item, by its terms. */
export function matches({ kind, terms }: RubricItem, statement: string): boolean {
  if (isQuestion(statement) || (kind !== 'file' && isEcho(statement))) return false;
  const text = statement.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ');
  return terms.every((group) => group.some((term) => startsAWord(text, term)));
}

function startsAWord(text: string, term: string): boolean {
  for (let at = text.indexOf(term); at !== -1; at = text.indexOf(term, at + 1))
    if (at === 0 || !/[\p{L}\p{N}]/u.test(term.charAt(0)) || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1))) return true;
  return false;
}
