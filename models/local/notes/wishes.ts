import { hasCue, isQuestion, isThin, preferenceStrength } from '../learnings/cues.ts';
import type { Sentence } from '../segments.ts';

/** Prohibitions and instructions for every time. */
const ORDERS =
  /^(?:(?:and|but|so|also|ok(?:ay)?|yes|no|w8|wait)[,.! ]+)*(?:please|plz)?,? ?(?:don['’]?t|do not|never|avoid|no need to|make sure|keep|stick (?:to|with)|be careful)\b(?! forget)|\byou (?:should(?:n['’]?t| not)|must(?:n['’]?t| not)?)\b|请(?:不要|勿|保持|使用)|不应该|应该/iu;

const MOMENTARY = /\b(?:yet|for now|right now|this time|today|tonight|first)\b|暂时|先不/iu;

/** Returns true for a lasting rule of the user. Such a sentence becomes a learning at the session's end, and so is excluded from topics. */
export function isLastingPreference({ row, text, terms }: Pick<Sentence, 'row' | 'text' | 'terms'>): boolean {
  return (
    row.type === 'user' &&
    !isQuestion(text) &&
    !isThin(text) &&
    terms.length >= 3 &&
    text.length <= 420 &&
    !text.startsWith('(') &&
    (preferenceStrength(text) === 2 || hasCue(text, 'dislike') || (ORDERS.test(text) && !MOMENTARY.test(text)))
  );
}
