import { personalisedPageRank } from '../domain/graph/page-rank.ts';
import type { MemoryType, RecallHit } from '../domain/ports/vector-index.ts';
import { VALUE_FILTERS } from '../domain/search-names.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { MENTIONS_OF_ENTITY, readSurroundings } from '../stores/postgres/graph/graph-recall.ts';
import { readNewest } from '../stores/postgres/search/newest.ts';
import type { SearchRequest } from './search-types.ts';
import type { StageClock } from './stage-clock.ts';
import type { UnderstoodQuery } from './understand-query.ts';

const MAX_NAMES = 8;
const MAX_HITS = 30;

/** Hits of the graph. */
export interface GraphHits {
  readonly hits: readonly RecallHit[];
  /** Specificity of the names, 0–1: for a name that everything mentions, the newest mentions are no better than others. */
  readonly share: number;
}

/** Returns memories about the graph neighbourhood of the files, errors and identifiers in a query; none without such names. One read with a timeout. */
export async function graphHits(
  database: Database,
  { tenantId }: SearchRequest,
  { filter, understood }: UnderstoodQuery,
  clock: StageClock,
  ms: number,
): Promise<GraphHits> {
  const names = [...(understood?.names ?? []), ...(understood?.fields.files ?? [])].map((name) => name.toLowerCase());
  // The graph has neither values nor tags of its sources.
  const isNarrowed = filter.tags !== undefined || VALUE_FILTERS.some((name) => filter[name] !== undefined);
  if (names.length === 0 || isNarrowed) return { hits: [], share: 0 };
  return clock.time('graph', async () => {
    const { seeds, edges, mentions } = await database.readAsTenant(
      tenantId,
      (read) => readSurroundings(read, tenantId, names.slice(0, MAX_NAMES), filter),
      ms,
    );
    const shares = personalisedPageRank(
      edges,
      seeds.map(({ id }) => id),
    );
    const memories = new Map<string, { type: MemoryType; sessionId: string; score: number }>();
    for (const { entityId, memoryId, memoryType, sessionId } of mentions) {
      const score = (memories.get(memoryId)?.score ?? 0) + (shares.get(entityId) ?? 0);
      memories.set(memoryId, { type: memoryType, sessionId, score });
    }
    const hits = [...memories]
      .map(([memoryId, { type, sessionId, score }]): RecallHit => ({
        memoryId,
        memoryType: type,
        sessionId,
        score,
      }))
      .sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId))
      .slice(0, MAX_HITS);
    const fewest = Math.min(...seeds.map(({ mentions }) => mentions));
    return { hits, share: Math.min(1, MENTIONS_OF_ENTITY / Math.max(1, fewest)) };
  });
}

/** Returns true if the newest memories are the answer: the query has little else, or nothing beside its fields. */
export function isNewestQuery({ understood }: UnderstoodQuery): boolean {
  return understood !== null && (understood.newestAlone || understood.text === '');
}

/** Returns the newest memories that match the filter. One read with a timeout. */
export async function recencyHits(
  database: Database,
  { tenantId }: SearchRequest,
  { filter }: UnderstoodQuery,
  clock: StageClock,
  ms: number,
): Promise<readonly RecallHit[]> {
  return clock.time('recency', () => database.readAsTenant(tenantId, (read) => readNewest(read, filter, MAX_HITS), ms));
}
