import { CHINESE_QUESTION_WORDS } from '../domain/query/understand.ts';
import type { RetrieverResult } from '../domain/fusion.ts';
import { EmbedderUnavailable } from '../domain/ports/embedder.ts';
import type { Embedder } from '../domain/ports/embedder.ts';
import { MOST_HITS, VectorIndexUnavailable } from '../domain/ports/vector-index.ts';
import type { IndexHit, RecallFilter, RecallHit } from '../domain/ports/vector-index.ts';
import type { Calibration } from '../domain/ranking/calibration.ts';
import { SIMILARITY_FLOOR } from '../domain/ranking/rank.ts';
import type { Candidates } from '../stores/postgres/search/candidates.ts';
import { isIndexed } from '../stores/postgres/embeddings/embedding-indexes.ts';
import { searchKeyword, searchUnindexed } from '../stores/postgres/search/keyword-search.ts';
import type { UnindexedWords } from '../stores/postgres/search/keyword-search.ts';
import { timedQueries } from '../stores/postgres/connection/tenant-scope.ts';
import { recencyHits, isNewestQuery } from './recall-beside.ts';
import type { Degradation } from '../domain/search-names.ts';
import type { SearchDependencies, SearchRequest } from './search-types.ts';
import { within } from './stage-clock.ts';
import type { StageClock } from './stage-clock.ts';
import type { UnderstoodQuery } from './understand-query.ts';

/** Merges hits of the index, best first; a repeated chunk counts once. */
function united(answers: readonly (readonly IndexHit[])[]): readonly IndexHit[] {
  const [only] = answers;
  if (only !== undefined && answers.length === 1) return only;
  const best = new Map<string, IndexHit>();
  for (const hit of answers.flat())
    if ((best.get(hit.objectId)?.score ?? -Infinity) < hit.score) best.set(hit.objectId, hit);
  return [...best.values()].sort((a, b) => b.score - a.score);
}

/** Hits of another store: `best` is its full score, `share` the value of that here. */
interface OtherHits {
  readonly hits: readonly RecallHit[];
  readonly share: number;
  readonly best: number;
}

/**
 * Merges hits of other stores into a retriever's. Scores of two stores are not comparable: another store's full score equals the
 * retriever's best hit, and zero equals `floor`, which counts nothing here. The retriever's own hits retain their score.
 */
function alongside(retriever: readonly RecallHit[], floor: number, others: readonly OtherHits[]): readonly RecallHit[] {
  const known = new Set(retriever.map((hit) => hit.memoryId));
  const top = Math.max(retriever[0]?.score ?? 1, floor);
  const added = others.flatMap(({ hits, share, best }) =>
    hits.flatMap((hit): RecallHit[] => {
      if (known.has(hit.memoryId) || best <= 0) return [];
      known.add(hit.memoryId);
      return [{ ...hit, score: floor + (top - floor) * share * Math.min(1, hit.score / best) }];
    }),
  );
  return added.length === 0 ? retriever : [...retriever, ...added].sort((a, b) => b.score - a.score);
}

const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;
const MAX_PAIRS = 40;
/** Splits a query for unindexed texts: scripts without spaces as pairs of neighbours (a single character unchanged), the rest as words. */
function unindexedWords(text: string): UnindexedWords {
  const lower = text.toLowerCase();
  const pairs = (lower.replaceAll(CHINESE_QUESTION_WORDS, ' ').match(UNSPACED_RUN) ?? []).flatMap((run) => {
    const characters = Array.from(run);
    return characters.length === 1 ? [run] : characters.slice(1).map((next, n) => `${characters[n] ?? ''}${next}`);
  });
  return { words: lower.replaceAll(UNSPACED_RUN, ' '), pairs: [...new Set(pairs)].slice(0, MAX_PAIRS) };
}

/**
 * Chunks per retriever: 60, so that a page of five is ranked like one of twenty (with 40, two queries of sixty fewer have an answer in the
 * first ten), and few more for fifty memories: weak hits add up in the evidence of sessions, and 150 take three times as long as 40 (client
 * and index together).
 */
const HITS_PER_RESULT = 1.5;
const LEAST_HITS = 60;
const BESIDE_HITS = 20;
/** Value of a closed learning relative to an indexed one. */
const CLOSED_SHARE = 0.8;

export interface Recalled {
  /** Name of the searched index. */
  readonly index: string;
  /** Of its embedding model. */
  readonly calibration: Calibration | null;
  /** False if keyword retrieval was not requested or is unavailable. */
  readonly hasWords: boolean;
  /** Its hits, with repetitions. */
  readonly objectIds: readonly string[];
  /** Memories that PostgreSQL found, with repetitions. */
  readonly memories: readonly RecallHit[];
  /** Returns the hits of the retrievers, given what PostgreSQL knows of the index's objects. */
  readonly retrieversOf: (hitOf: Candidates['hitOf']) => readonly RetrieverResult[];
  readonly degraded: readonly Degradation[];
}

/** Returns true if only PostgreSQL can check the filter. */
export function needsPostgres({ phrases, files }: RecallFilter): boolean {
  return phrases !== undefined || files !== undefined;
}

/** By page length, not page number: every page is cut from one order. */
function hitsFor({ limit }: SearchRequest, filter: RecallFilter): number {
  // Some index hits fail the checks that only PostgreSQL can do.
  if (needsPostgres(filter)) return MOST_HITS;
  return Math.max(Math.ceil(limit * HITS_PER_RESULT), LEAST_HITS);
}

/** Returns a retriever's hits; null if its store is unavailable or too slow. */
async function unlessUnavailable<Found>(ms: number, retriever: Promise<Found>): Promise<Found | null> {
  try {
    return await within(ms, retriever);
  } catch (error) {
    if (error instanceof EmbedderUnavailable || error instanceof VectorIndexUnavailable) return null;
    throw error;
  }
}

/** Returns the filter limited to the query's time; null without one. */
function timedFilter({ filter, understood }: UnderstoodQuery): RecallFilter | null {
  const time = understood?.time ?? null;
  if (time === null || filter.since !== undefined || filter.until !== undefined) return null;
  return {
    ...filter,
    ...(time.since !== null && { since: time.since.toISOString() }),
    ...(time.until !== null && { until: time.until.toISOString() }),
  };
}

/** Second stage: runs the query's retrievers concurrently. Reports unavailable retrievers; additional ones are omitted silently. */
export async function recall(
  dependencies: SearchDependencies,
  vectorOf: (embedder: Embedder, query: string) => Promise<Float32Array | undefined>,
  request: SearchRequest,
  understoodQuery: UnderstoodQuery,
  clock: StageClock,
): Promise<Recalled> {
  const { database, vectors, indexOf, settings } = dependencies;
  const { tenantId } = request;
  const index = await indexOf(tenantId);
  const { text, filter, understood } = understoodQuery;
  const limit = hitsFor(request, filter);
  const ms = settings.retrieverTimeoutMs;
  const queries = timedQueries(database.pool, ms);
  // Both within the query's time and at any time: memories of that time are preferred, and the others remain.
  const filters = [filter, timedFilter(understoodQuery)].filter((each) => each !== null);

  const keyword = async (): Promise<readonly IndexHit[]> =>
    united(await Promise.all(filters.map((each) => vectors.keyword(tenantId, index.name, text, each, limit))));
  const nearest = async (): Promise<readonly IndexHit[]> => {
    const query = request.vector ?? (await clock.time('embed', () => vectorOf(index.embedder, text)));
    if (query === undefined) return [];
    const answers = filters.map((each) => vectors.nearest(tenantId, index.name, query, each, limit));
    const hits = united(await Promise.all(answers));
    return hits.map((hit) => ({ ...hit, score: index.embedder.likeness(hit.score) }));
  };
  const inPostgres = (own: RecallFilter) => searchKeyword(queries, tenantId, text, own, limit);
  const isAnyIndexed = (hits: readonly RecallHit[]): Promise<boolean> => {
    const ids = hits.map(({ memoryId }) => memoryId);
    return database.readAsTenant(tenantId, (read) => isIndexed(read, index.name, ids), ms);
  };
  /** Memories that no index has: closed learnings of a requested time, and matches of a phrase or a file. */
  const besides = async (): Promise<readonly RecallHit[]> => {
    if (needsPostgres(filter)) return inPostgres(filter);
    if (filter.asOf === undefined || filter.types?.includes('learning') === false) return [];
    return inPostgres({ ...filter, types: ['learning'] });
  };
  const unindexed = async (): Promise<readonly RecallHit[]> =>
    understood === null
      ? []
      : clock.time('unindexed', () =>
          searchUnindexed(queries, tenantId, index.name, unindexedWords(text), filter, BESIDE_HITS),
        );

  const alone = request.vectorOnly === true;
  const none: readonly never[] = [];
  const [words, meaning, more, fresh, newest] = await Promise.all([
    alone ? none : clock.time('keyword', () => unlessUnavailable(ms, keyword())),
    clock.time('vector', () => unlessUnavailable(ms, nearest())),
    alone ? none : within(ms, besides()),
    alone ? none : within(ms, unindexed()),
    alone || !isNewestQuery(understoodQuery)
      ? none
      : within(ms, recencyHits(database, request, understoodQuery, clock, ms)),
  ]);
  const isBare = (alone || words?.length === 0) && meaning?.length === 0;
  // Without an embedder no new chunks reach the vector index, so its keyword hits are incomplete too. A phrase or a file was searched already.
  const fromRows = () => (needsPostgres(filter) && !alone ? more : within(ms, inPostgres(filter)));
  const inRows = words === null || meaning === null || isBare ? await fromRows() : null;
  // An index that lacks chunks of the ledger has lost its data.
  const isLost = isBare && inRows !== null && inRows.length > 0 && (await within(ms, isAnyIndexed(inRows))) === true;
  const fallback = isBare && !isLost ? null : inRows;
  const near = isLost ? null : meaning;
  const noWords = fallback === null && (words === null || (alone && near === null));
  // Phrases, closed learnings and unindexed rows have no other source: their possible absence is reported.
  const late = more === null || fresh === null;
  const degraded: Degradation[] = [
    ...(near === null ? (['vector'] as const) : []),
    ...(noWords || late ? (['keyword'] as const) : []),
  ];
  // Unindexed rows have no vector: their keyword score counts there too.
  const extra = [
    { hits: fresh ?? [], share: 1, best: 1 },
    { hits: more ?? [], share: CLOSED_SHARE, best: more?.[0]?.score ?? 1 },
  ];
  const inWords = { hits: fallback ?? [], share: 1, best: fallback?.[0]?.score ?? 1 };
  const retrieversOf: Recalled['retrieversOf'] = (hitOf) => {
    const placed = (hits: readonly IndexHit[]) => hits.flatMap(({ objectId, score }) => hitOf(objectId, score) ?? []);
    const byWords = { name: 'keyword' as const, hits: alongside(placed(words ?? []), 0, [inWords, ...extra]) };
    const byMeaning = { name: 'vector' as const, hits: placed(near ?? []) };
    const retrievers: RetrieverResult[] = [
      ...(near === null
        ? [{ ...byWords, weight: 1 }]
        : alone
          ? [{ ...byMeaning, weight: 1 }]
          : [
              { ...byWords, weight: settings.keywordWeight },
              {
                ...byMeaning,
                weight: 1 - settings.keywordWeight,
                hits: alongside(byMeaning.hits, SIMILARITY_FLOOR, extra),
              },
            ]),
      { name: 'recency', weight: settings.recencyWeight, hits: newest ?? [] },
    ];
    return retrievers.filter((retriever) => retriever.hits.length > 0);
  };
  return {
    index: index.name,
    calibration: index.embedder.calibration,
    hasWords: !alone && !noWords,
    objectIds: [...(words ?? []), ...(near ?? [])].map(({ objectId }) => objectId),
    memories: [fallback, fresh, more, newest].flatMap((hits) => hits ?? []),
    retrieversOf,
    degraded,
  };
}
