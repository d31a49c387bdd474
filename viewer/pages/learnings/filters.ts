import type { Learning } from '../../contract/index.ts';
import type { QueryOf } from '../../link/ask.ts';
import { on } from '../../link/loadable.ts';
import { endOfDay } from '../../parts/days.ts';
import { choiceParameter, textParameter } from '../../router/query.ts';
import type { StateOf } from '../../router/query.ts';

export const CATEGORIES = ['pattern', 'solution', 'error', 'config', 'best_practice', 'general'] as const;
export const STATES = ['verified', 'current', 'all'] as const;

/** Filters of the list, in the address. Without a state: the review queue, which contains the unverified ones. */
export const FILTERS = {
  state: choiceParameter(STATES),
  q: textParameter(),
  project: textParameter(),
  category: choiceParameter(CATEGORIES),
  visibility: choiceParameter(['shared', 'private']),
  tag: textParameter(),
  session: textParameter(),
  sort: choiceParameter(['recency', 'popularity']),
  /** Day, as YYYY-MM-DD. */
  as_of: textParameter(),
} as const;
export type Filters = StateOf<typeof FILTERS>;

const LONGEST_TITLE = 100;

/** Returns the title of a learning; of one without, such as after a correction of its description alone, the start of its text. */
export function titleOf({ title, description }: Learning): string {
  if (title !== '') return title;
  return description.length > LONGEST_TITLE ? `${description.slice(0, LONGEST_TITLE - 1).trimEnd()}…` : description;
}

/** Returns the query of a list. Closed learnings are not listed as of a time: those that were current then are. */
export function queryOf({ state, as_of: day, ...filters }: Filters): QueryOf<'GET /learnings'> {
  const asOf = endOfDay(day);
  return {
    ...filters,
    as_of: asOf,
    verified: state === undefined ? false : state === 'verified' ? true : undefined,
    include_closed: state === 'all' && asOf === undefined ? true : undefined,
  };
}

/** Returns whether a learning belongs to a list after a change of it; what the server selected is not checked again. */
export function isListed(learning: Learning, { state, visibility, as_of: day }: Filters): boolean {
  if (endOfDay(day) !== undefined) return true;
  if (visibility !== undefined && visibility !== learning.visibility) return false;
  if (state === 'all') return true;
  return learning.valid_to === null && (state === 'current' || learning.verified === (state === 'verified'));
}

/** Events that may change learnings. */
export const concernsLearnings = on('learning.extracted');
