import type { RecallFilter } from '../../domain/ports/vector-index.ts';
import { VALUE_FILTERS } from '../../domain/search-names.ts';
import { EVERYONE, type ChunkProperties } from './schema.ts';

/** Required value of a property. Times are RFC 3339 text. */
export interface Condition {
  readonly property: keyof ChunkProperties;
  readonly operator: 'equal' | 'notEqual' | 'greaterOrEqual' | 'less' | 'lessOrEqual' | 'containsAny' | 'containsAll';
  readonly value: string | readonly string[];
}

/**
 * The filter in Weaviate's words, all of which must hold; empty where nothing restricts. `tags` must all match; `since` and `asOf` are
 * included, `until` is not. Phrases and files are not checked by this index. An empty list of types restricts to nothing: the caller returns [] without a search.
 */
export function conditionsOf(filter: RecallFilter): Condition[] {
  const all: Condition[] = [];
  const add = (
    property: Condition['property'],
    operator: Condition['operator'],
    value: Condition['value'] | undefined,
  ): void => {
    if (value !== undefined) all.push({ property, operator, value });
  };
  const { tags, projectId, since, until, asOf, viewerId, ownerId } = filter;
  add('memory_type', 'containsAny', filter.types);
  if (projectId !== undefined) add('project_id', 'containsAny', [projectId, ...(filter.formerProjectIds ?? [])]);
  add('session_id', 'equal', filter.sessionId);
  add('session_id', 'notEqual', filter.excludeSessionId);
  add('namespace', 'equal', filter.namespace);
  for (const name of VALUE_FILTERS) add(name, 'equal', filter[name]);
  if (tags !== undefined && tags.length > 0) add('tags', 'containsAll', tags);
  if (since !== undefined) add('occurred_at', 'greaterOrEqual', new Date(since).toISOString());
  if (until !== undefined) add('occurred_at', 'less', new Date(until).toISOString());
  if (asOf !== undefined) add('occurred_at', 'lessOrEqual', new Date(asOf).toISOString());
  if (viewerId !== undefined) add('owner_id', 'containsAny', [EVERYONE, viewerId]);
  if (ownerId !== undefined) add('owner_id', 'equal', ownerId ?? EVERYONE);
  return all;
}
