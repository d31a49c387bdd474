import { hasCue, isQuestion } from './learnings/cues.ts';

/** True if the sentence asks for something or settles something, so that it can stand as a title. */
export function isRequest({ text }: { readonly text: string }): boolean {
  return hasCue(text, 'goal') || hasCue(text, 'label') || isQuestion(text);
}
