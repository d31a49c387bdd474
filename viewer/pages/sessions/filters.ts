import type { StreamEvent } from '../../contract/index.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';

export const STATUSES = ['active', 'ended', 'archived'] as const;
export const PHASES = ['active', 'summarising', 'closing', 'settled', 'cancelled'] as const;

/** Filters of the list, in the address. */
export const FILTERS = {
  status: choiceParameter(STATUSES),
  phase: choiceParameter(PHASES),
  project: textParameter(),
  search: textParameter(),
  sort: choiceParameter(['oldest']),
} as const;

/** Whether an event may change the list. */
export function concernsSessions({ type }: StreamEvent): boolean {
  return type === 'session.created' || type === 'session.updated';
}
