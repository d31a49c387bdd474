import { on } from '../../link/loadable.ts';
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

/** Events that may change the list. */
export const concernsSessions = on('session.created', 'session.updated');
