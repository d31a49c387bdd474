import type { RecallHit } from '../domain/ports/vector-index.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { readNewest } from '../stores/postgres/search/newest.ts';
import type { SearchRequest } from './search-types.ts';
import type { StageClock } from './stage-clock.ts';
import type { UnderstoodQuery } from './understand-query.ts';

const MAX_HITS = 30;

/** Returns true if the newest memories are the answer: the query has little else, or nothing beside its fields. */
export function isNewestQuery({ understood }: UnderstoodQuery): boolean {
  return understood !== null && (understood.newestAlone || understood.text === '');
}

/** Returns the newest memories that match the filter. One read with a timeout. */
export async function recencyHits(
  database: Database,
  { tenantId, bounds }: SearchRequest,
  { filter }: UnderstoodQuery,
  clock: StageClock,
  ms: number,
): Promise<readonly RecallHit[]> {
  const view = { tenantId, viewerId: filter.viewerId, bounds };
  return clock.time('recency', () => database.readAsTenant(view, (read) => readNewest(read, filter, MAX_HITS), ms));
}
