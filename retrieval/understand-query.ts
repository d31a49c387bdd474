import { VALUE_FILTERS } from '../domain/search-names.ts';
import type { RecallFilter } from '../domain/ports/vector-index.ts';
import { understand } from '../domain/query/understand.ts';
import type { Understood } from '../domain/query/understand.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { findProject } from '../stores/postgres/projects/projects.ts';
import type { SearchRequest } from './search-types.ts';

/** A parsed query for the retrievers. */
export interface UnderstoodQuery {
  /** Text for keyword and vector comparison. */
  readonly text: string;
  readonly filter: RecallFilter;
  readonly understood: Understood | null;
}

/** Returns the later, or the earlier, of two optional bounds. */
function tighter(given: string | undefined, stated: Date | null, later: boolean): string | undefined {
  if (stated === null) return given;
  if (given === undefined) return stated.toISOString();
  return new Date(given) > stated === later ? given : stated.toISOString();
}

/** Returns true if filter and query name different values of a field: nothing can match both. */
function contradicts(filter: RecallFilter, { fields }: Understood): boolean {
  const { types } = filter;
  return (
    VALUE_FILTERS.some((name) => (filter[name] ?? fields.values[name]) !== (fields.values[name] ?? filter[name])) ||
    (types !== undefined && fields.types.length > 0 && !fields.types.some((type) => types.includes(type)))
  );
}

function withFields(filter: RecallFilter, { fields, phrases }: Understood): RecallFilter {
  const { types, tags } = filter;
  const since = tighter(filter.since, fields.since, true);
  const until = tighter(filter.until, fields.until, false);
  const chosen = types === undefined ? fields.types : fields.types.filter((type) => types.includes(type));
  return {
    ...filter,
    ...fields.values,
    ...(chosen.length > 0 && { types: chosen }),
    ...(fields.tags.length > 0 && { tags: [...new Set([...(tags ?? []), ...fields.tags])] }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(phrases.length > 0 && { phrases }),
    ...(fields.files.length > 0 && { files: fields.files }),
  };
}

/** First stage: parses a query and adds its fields to the filter. Null if nothing can match: an unknown project, or contradictory fields. */
export async function understandQuery(
  database: Database,
  request: Pick<SearchRequest, 'tenantId' | 'bounds' | 'query' | 'filter' | 'now'>,
): Promise<UnderstoodQuery | null> {
  const { tenantId, bounds, query, filter, now } = request;
  if (now === undefined) return { text: query, filter, understood: null };
  const understood = understand(query, now);
  if (contradicts(filter, understood)) return null;
  const named = understood.fields.project;
  let narrowed = withFields(filter, understood);
  if (named !== null) {
    const project = await database.asTenant({ tenantId, viewerId: filter.viewerId, bounds }, (transaction) =>
      findProject(transaction, named),
    );
    if (project === null || (filter.projectId !== undefined && filter.projectId !== project.id)) return null;
    narrowed = { ...narrowed, projectId: project.id, formerProjectIds: project.formerIds };
  }
  // A query of fields only is compared by their words.
  const text = understood.text === '' ? understood.fields.files.join(' ') || query : understood.text;
  return { text, filter: narrowed, understood };
}
