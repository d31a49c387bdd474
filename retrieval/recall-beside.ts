import { personalisedPageRank } from '../domain/graph/page-rank.ts';
import type { MemoryType, RecallHit } from '../domain/ports/vector-index.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { MENTIONS_OF_ENTITY, readSurroundings } from '../stores/postgres/graph/graph-recall.ts';
import { readNewest } from '../stores/postgres/search/newest.ts';
import type { SearchRequest } from './search-types.ts';
import type { StageClock } from './stage-clock.ts';
import type { UnderstoodQuery } from './understand-query.ts';

const MAX_NAMES = 8;
const MAX_HITS = 30;

/** What the graph found. */
export interface GraphHits {
  readonly hits: readonly RecallHit[];
  /** How much that says, 0–1: of a name that everything mentions, the newest mentions are no better than others. */
  readonly share: number;
}

/** Memories that mention what lies around the files, errors and identifiers that a question names; none where it names none. One read, for so long at most. */
export async function graphHits(
  database: Database,
  { tenantId }: SearchRequest,
  { filter, understood }: UnderstoodQuery,
  clock: StageClock,
  ms: number,
): Promise<GraphHits> {
  const names = [...(understood?.names ?? []), ...(understood?.fields.files ?? [])].map((name) => name.toLowerCase());
  // The graph knows neither tools nor tags of what it links.
  if (names.length === 0 || filter.tool !== undefined || filter.kind !== undefined || filter.tags !== undefined)
    return { hits: [], share: 0 };
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
        chunk: 0,
        score,
      }))
      .sort((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId))
      .slice(0, MAX_HITS);
    const fewest = Math.min(...seeds.map(({ mentions }) => mentions));
    return { hits, share: Math.min(1, MENTIONS_OF_ENTITY / Math.max(1, fewest)) };
  });
}

/** The newest of all are the answer where a question says little else, or nothing beside its fields. */
export function wantsNewest({ understood }: UnderstoodQuery): boolean {
  return understood !== null && (understood.newestAlone || understood.text === '');
}

/** The newest memories that the filter lets through. One read, for so long at most. */
export async function recencyHits(
  database: Database,
  { tenantId }: SearchRequest,
  { filter }: UnderstoodQuery,
  clock: StageClock,
  ms: number,
): Promise<readonly RecallHit[]> {
  return clock.time('recency', () => database.readAsTenant(tenantId, (read) => readNewest(read, filter, MAX_HITS), ms));
}
