import type { Observation, Prompt, StreamEvent } from '../../contract/index.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';

export const TABS = ['rows', 'understood', 'context', 'work'] as const;
export const SHOWN = ['prompts', 'tools'] as const;

/** What of a session is shown, in the address. */
export const VIEW = {
  tab: choiceParameter(TABS),
  /** Position of a row, or its id: the rows around it are shown. */
  row: textParameter(),
  show: choiceParameter(SHOWN),
  agent: textParameter(),
  /** Id of the row whose trace is shown. */
  trace: textParameter(),
  /** Id of the served context whose items are shown. */
  context: textParameter(),
} as const;

/** A prompt, a response or a tool call. */
export type SessionRow = Prompt | Observation;

/** Whether a row is a message, not a tool call. */
export function isPrompt(row: SessionRow): row is Prompt {
  return 'role' in row;
}

/** Whether a row is what a user entered. */
export function isUserPrompt(row: SessionRow): boolean {
  return isPrompt(row) && row.role === 'user';
}

/** Returns events of a session that have one of the types. */
export function eventsOf(sessionId: string | undefined, types: readonly StreamEvent['type'][]) {
  return (event: StreamEvent): boolean =>
    'session_id' in event && event.session_id === sessionId && types.includes(event.type);
}

/** Returns whether a row is named by its position instead of its id. */
export function positionOf(row: string | undefined): number | null {
  return row !== undefined && /^\d{1,9}$/.test(row) ? Number(row) : null;
}
