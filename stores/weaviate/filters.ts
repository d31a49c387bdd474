import { Filters, type Filter, type FilterValue } from 'weaviate-client';
import type { RecallFilter } from '../../domain/ports/vector-index.ts';
import { EVERYONE, type ChunkProperties } from './schema.ts';

/**
 * The filter in Weaviate's words; undefined where nothing restricts. `tags` asks for all of them; `since` and `asOf` are included, `until` is not.
 * Phrases and files are not for this index to tell. An empty list of types restricts to nothing: the caller answers [] without asking.
 */
export function filterOf(by: Filter<ChunkProperties>, filter: RecallFilter): FilterValue | undefined {
  const all: FilterValue[] = [];
  if (filter.types !== undefined) all.push(by.byProperty('memory_type').containsAny([...filter.types]));
  if (filter.projectId !== undefined)
    all.push(by.byProperty('project_id').containsAny([filter.projectId, ...(filter.formerProjectIds ?? [])]));
  if (filter.sessionId !== undefined) all.push(by.byProperty('session_id').equal(filter.sessionId));
  if (filter.namespace !== undefined) all.push(by.byProperty('namespace').equal(filter.namespace));
  if (filter.kind !== undefined) all.push(by.byProperty('kind').equal(filter.kind));
  if (filter.tool !== undefined) all.push(by.byProperty('tool').equal(filter.tool));
  if (filter.tags !== undefined && filter.tags.length > 0)
    all.push(by.byProperty('tags').containsAll([...filter.tags]));
  if (filter.since !== undefined) all.push(by.byProperty('occurred_at').greaterOrEqual(new Date(filter.since)));
  if (filter.until !== undefined) all.push(by.byProperty('occurred_at').lessThan(new Date(filter.until)));
  if (filter.asOf !== undefined) all.push(by.byProperty('occurred_at').lessOrEqual(new Date(filter.asOf)));
  if (filter.viewerId !== undefined) all.push(by.byProperty('owner_id').containsAny([EVERYONE, filter.viewerId]));
  const [first] = all;
  return all.length > 1 ? Filters.and(...all) : first;
}
