import type { ServedContext } from '../../contract/index.ts';
import { choiceParameter, numberParameter, textParameter } from '../../router/query.ts';

export const PURPOSES = ['session_start', 'prompt', 'file'] as const;
export const STANDARD_TOKENS = 900;
export const LEAST_TOKENS = 50;
export const MOST_TOKENS = 8_000;

/** What the page previews and lists, in the address. */
export const VIEW = {
  tab: choiceParameter(['served']),
  purpose: choiceParameter(PURPOSES),
  project: textParameter(),
  prompt: textParameter(),
  file: textParameter(),
  budget: numberParameter(STANDARD_TOKENS, LEAST_TOKENS, MOST_TOKENS),
  /** Id of the served context whose items are shown. */
  context: textParameter(),
} as const;

/** Whether anything shows that a served context was of use. */
export function wasUsed({ useful, fetched }: Pick<ServedContext, 'useful' | 'fetched'>): boolean {
  return useful + fetched > 0;
}
