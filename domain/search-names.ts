/** Memories that are ranked after fusion: the bound of paging, and what facets count. */
export const MAX_CANDIDATES = 100;

/** Stages of a search, in their order; the retrievers run concurrently. */
export const STAGES = [
  'understand',
  'embed',
  'keyword',
  'vector',
  'waiting',
  'graph',
  'recency',
  'recall',
  'fuse',
  'inspect',
  'rerank',
  'score',
  'diversify',
  'read',
] as const;
export type StageName = (typeof STAGES)[number];

/** Parts of a search that can be unavailable. */
export const DEGRADATIONS = ['vector', 'keyword', 'rerank'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export const SUGGESTION_KINDS = ['entity', 'title', 'tag', 'file'] as const;

export const LEARNING_SORTS = ['confidence', 'recency', 'popularity'] as const;
