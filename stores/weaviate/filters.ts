import type { RecallFilter } from '../../domain/ports/vector-index.ts';
import { EVERYONE, type ChunkProperties } from './schema.ts';

/** What a property must hold. Times are RFC 3339 text. */
export interface Condition {
  readonly property: keyof ChunkProperties;
  readonly operator: 'equal' | 'notEqual' | 'greaterOrEqual' | 'less' | 'lessOrEqual' | 'containsAny' | 'containsAll';
  readonly value: string | readonly string[];
}

/**
 * The filter in Weaviate's words, all of which must hold; empty where nothing restricts. `tags` asks for all of them; `since` and `asOf` are
 * included, `until` is not. Phrases and files are not for this index to tell. An empty list of types restricts to nothing: the caller answers [] without asking.
 */
export function conditionsOf(filter: RecallFilter): Condition[] {
  const all: Condition[] = [];
  const asks = (
    property: Condition['property'],
    operator: Condition['operator'],
    value: Condition['value'] | undefined,
  ): void => {
    if (value !== undefined) all.push({ property, operator, value });
  };
  const { tags, projectId, since, until, asOf, viewerId } = filter;
  asks('memory_type', 'containsAny', filter.types);
  if (projectId !== undefined) asks('project_id', 'containsAny', [projectId, ...(filter.formerProjectIds ?? [])]);
  asks('session_id', 'equal', filter.sessionId);
  asks('session_id', 'notEqual', filter.excludeSessionId);
  asks('namespace', 'equal', filter.namespace);
  asks('kind', 'equal', filter.kind);
  asks('tool', 'equal', filter.tool);
  if (tags !== undefined && tags.length > 0) asks('tags', 'containsAll', tags);
  if (since !== undefined) asks('occurred_at', 'greaterOrEqual', new Date(since).toISOString());
  if (until !== undefined) asks('occurred_at', 'less', new Date(until).toISOString());
  if (asOf !== undefined) asks('occurred_at', 'lessOrEqual', new Date(asOf).toISOString());
  if (viewerId !== undefined) asks('owner_id', 'containsAny', [EVERYONE, viewerId]);
  return all;
}
