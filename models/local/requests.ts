import { hasCue, isQuestion } from './learnings/cues.ts';

/** Returns true if the sentence requests or decides something, so that it can be a title. */
export function isRequest({ text }: { readonly text: string }): boolean {
  return hasCue(text, 'goal') || hasCue(text, 'label') || isQuestion(text);
}
