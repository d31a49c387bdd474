import { choiceParameter, flagParameter } from '../../router/query.ts';

export const TABS = ['you', 'health', 'tenant'] as const;

/** The tab and what its lists include, in the address. */
export const FILTERS = {
  tab: choiceParameter(TABS),
  revoked: flagParameter(),
  ended: flagParameter(),
} as const;
