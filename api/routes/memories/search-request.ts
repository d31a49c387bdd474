import type { RecallFilter } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import type { SearchRequest, SearchResult } from '../../../retrieval/search.ts';
import type { Principal } from '../../../stores/postgres/access/api-keys.ts';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';

/** What a request says of a filter, in the words of the API. */
export interface SearchFilterParams {
  readonly type?: readonly MemoryType[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tool?: string | undefined;
  readonly kind?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly as_of?: string | undefined;
}

const NOTHING: SearchResult = {
  found: [],
  total: 0,
  facets: { type: {}, tool: {}, project: {}, tag: {} },
  degraded: [],
  understood: null,
  stages: [],
};

/** Only what was asked for: a filter that is absent must not become one that is undefined. */
function filterOf(given: SearchFilterParams, viewerId: string | undefined): RecallFilter {
  const { type, namespace, tags, tool, kind, since, until, as_of: asOf } = given;
  return {
    ...(type && { types: type }),
    ...(namespace && { namespace }),
    ...(tags && { tags }),
    ...(tool && { tool }),
    ...(kind && { kind }),
    ...(since && { since }),
    ...(until && { until }),
    ...(asOf && { asOf }),
    ...(viewerId && { viewerId }),
  };
}

/** Runs a search as the API narrows it. A project that nobody knows holds nothing: the search is answered, with nothing. */
export async function runSearch(
  { recall, database, metrics }: ApiDependencies,
  holder: Principal,
  given: SearchFilterParams,
  request: Omit<SearchRequest, 'tenantId' | 'filter'>,
): Promise<SearchResult> {
  const { tenantId } = holder;
  const { project } = given;
  const known =
    project === undefined
      ? undefined
      : await database.asTenant(tenantId, (transaction) => findProject(transaction, project));
  const filter = filterOf(given, viewerOf(holder));
  const result =
    known === null
      ? NOTHING
      : await recall.search({
          ...request,
          tenantId,
          filter: {
            ...filter,
            ...(known !== undefined && { projectId: known.id, formerProjectIds: known.formerIds }),
          },
        });
  metrics.searches.inc({ degraded: result.degraded.join(',') || 'none' });
  return result;
}
