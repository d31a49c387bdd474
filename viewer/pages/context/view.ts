import type { Memory, ServedContext } from '../../contract/index.ts';
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

/** Returns the address of a memory: that of its learning, or of its place in a session; null without one. */
export function addressOfMemory({ id, type, session }: Pick<Memory, 'id' | 'type' | 'session'>): string | null {
  if (type === 'learning') return `/learnings/${encodeURIComponent(id)}`;
  if (session === null) return null;
  const at = `/sessions/${encodeURIComponent(session.id)}`;
  return type === 'summary' ? `${at}?tab=understood` : `${at}?row=${encodeURIComponent(id)}`;
}

/** Whether anything shows that a served context was of use. */
export function wasUsed({ useful, fetched }: Pick<ServedContext, 'useful' | 'fetched'>): boolean {
  return useful + fetched > 0;
}
