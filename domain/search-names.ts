/** Memories that are ranked after fusion: the bound of paging, and what facets count. */
export const MAX_CANDIDATES = 100;

/** Stages of a search, in their order; the retrievers run concurrently. */
export const STAGES = [
  'understand',
  'embed',
  'keyword',
  'vector',
  'unindexed',
  'recency',
  'recall',
  'fuse',
  'inspect',
  'rerank',
  'score',
  'read',
] as const;
export type StageName = (typeof STAGES)[number];

/**
 * Filters by one exact value. Each name is a parameter of the API, a field `name:value` of a query, an option of the CLI and a property of chunks;
 * their order is that of the parameters of `search_keyword` and `search_unindexed`. A word `name:` that occurs in ordinary text must not be a
 * filter of this list: it would be removed from queries.
 */
export const VALUE_FILTERS = ['kind', 'tool'] as const;
export type ValueFilters = { readonly [Name in (typeof VALUE_FILTERS)[number]]?: string };

/** Help of the option of each filter. */
export const VALUE_FILTER_HELP: Readonly<Record<keyof ValueFilters, string>> = {
  kind: 'filter by type of observation, role, item kind or category',
  tool: 'filter by the tool of an observation, such as Bash',
};

/** Parts of a search that can be unavailable. */
export const DEGRADATIONS = ['vector', 'keyword', 'rerank'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export const SUGGESTION_KINDS = ['entity', 'title', 'tag', 'file'] as const;

export const LEARNING_SORTS = ['confidence', 'recency', 'popularity'] as const;
