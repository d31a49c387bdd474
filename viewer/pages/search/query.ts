import type { Suggestions } from '../../contract/index.ts';
import type { QueryOf } from '../../link/ask.ts';
import { endOfDay, startOfDay } from '../../parts/days.ts';
import { choicesParameter, flagParameter, numberParameter, textParameter } from '../../router/query.ts';
import type { StateOf } from '../../router/query.ts';

export const TYPES = ['prompt', 'observation', 'summary', 'learning'] as const;
/** Results of a page; the API ranks at most 100. */
export const PAGE_HITS = 20;
const LAST_OFFSET = 100;
export const MOST_QUERY = 500;

/** A search, in the address. */
export const SEARCH = {
  q: textParameter(),
  type: choicesParameter(TYPES),
  project: textParameter(),
  tool: textParameter(),
  /** Joined by commas. */
  tags: textParameter(),
  /** Days, as YYYY-MM-DD. */
  since: textParameter(),
  until: textParameter(),
  by_session: flagParameter(),
  nearest: flagParameter(),
  explain: flagParameter(),
  offset: numberParameter(0, 0, LAST_OFFSET),
} as const;
export type Search = StateOf<typeof SEARCH>;

/** What narrows a search to nothing. */
export const UNFILTERED = {
  type: [],
  project: undefined,
  tool: undefined,
  tags: undefined,
  since: undefined,
  until: undefined,
  offset: 0,
} as const;

/** Returns the query of the API for a search with words. */
export function queryOf(search: Search, q: string): QueryOf<'GET /search'> {
  const { type, since, until, by_session: isBySession, ...others } = search;
  return {
    ...others,
    q: q.slice(0, MOST_QUERY),
    type: type.join(',') || undefined,
    since: startOfDay(since),
    until: endOfDay(until),
    group_by: isBySession ? 'session' : undefined,
    nearest: others.nearest || undefined,
    explain: others.explain || undefined,
    limit: PAGE_HITS,
  };
}

/** Returns a comma-separated list with a value added, or without it if it has it; undefined for an empty list. */
export function toggled(list: string | undefined, value: string): string | undefined {
  const values = list?.split(',') ?? [];
  const next = values.includes(value) ? values.filter((each) => each !== value) : [...values, value];
  return next.join(',') || undefined;
}

/** Returns the last word of what was typed, which suggestions complete; null if it is too short for them. */
export function prefixOf(typed: string): string | null {
  const word = /\S+$/u.exec(typed)?.[0] ?? '';
  return /[\p{L}\p{N}].*[\p{L}\p{N}]/u.test(word) ? word.slice(0, 100) : null;
}

const quoted = (text: string): string => (/\s/u.test(text) ? `"${text.replaceAll('"', '')}"` : text);

/** Returns the query with its last word completed: tags and files are fields, and a title replaces the query. */
export function completed(typed: string, { text, kind }: Suggestions['data'][number]): string {
  const before = typed.replace(/\S+$/u, '');
  const word = kind === 'tag' || kind === 'file' ? `${kind}:${quoted(text)}` : text;
  return (kind === 'title' ? word : `${before}${word}`).slice(0, MOST_QUERY);
}
