import type { Lane } from '../domain/fusion.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Memory } from '../domain/memory.ts';
import { EmbedderUnavailable } from '../domain/ports/embedder.ts';
import type { ServedIndex, ServedIndexOf } from '../domain/ports/embedder.ts';
import { VectorIndexUnavailable } from '../domain/ports/vector-index.ts';
import type { RecallFilter, RecallHit, VectorIndex } from '../domain/ports/vector-index.ts';
import { rankMemories } from '../domain/ranking/rank.ts';
import type { RankedMemory, RankingWeights } from '../domain/ranking/rank.ts';
import type { Database } from '../stores/postgres/database.ts';
import { searchKeyword } from '../stores/postgres/keyword-search.ts';
import { createQueryVectors } from './query-vectors.ts';
import { readHeads, readMemories } from '../stores/postgres/memories.ts';
import type { MemoryHead, MemoryRef } from '../stores/postgres/memories.ts';

export interface SearchDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  /** The index that a tenant is searched in. */
  readonly indexOf: ServedIndexOf;
  /** 0–1; the vector lane has the rest. */
  readonly keywordWeight: number;
  readonly ranking: RankingWeights;
  /** Told how long each stage took, in seconds. */
  readonly onStage: (stage: 'embed' | 'recall' | 'read', seconds: number) => void;
}

export interface SearchRequest {
  readonly tenantId: TenantId;
  readonly question: string;
  readonly filter: RecallFilter;
  readonly limit: number;
  readonly offset: number;
  readonly minScore: number;
  readonly groupBySession: boolean;
}

export interface FoundMemory extends RankedMemory {
  readonly memory: Memory;
}

export interface SearchResult {
  readonly found: readonly FoundMemory[];
  /** Memories that match at all, among the candidates that were looked at. */
  readonly total: number;
  readonly facets: Readonly<Record<'type' | 'tool' | 'project' | 'tag', Readonly<Record<string, number>>>>;
  /** What was away: `vector` when only keywords could be compared. */
  readonly degraded: readonly 'vector'[];
}

/**
 * Chunks that each lane gives: four for each memory that is shown, since one memory may have several, and 80 at least, so that a page of five
 * is ranked as one of twenty is (of 40, two questions of sixty fewer are answered in the first ten). More costs time: 150 take three times
 * as long as 40 (client and index together).
 */
const HITS_PER_RESULT = 4;
const LEAST_HITS = 80;
const MOST_HITS = 150;
/** Memories that are read after fusion: what can be paged through, and what facets count. */
const MAX_CANDIDATES = 100;

function isAway(error: unknown): boolean {
  return error instanceof EmbedderUnavailable || error instanceof VectorIndexUnavailable;
}

/** What a lane found; null when what it stands on is away. */
async function laneHits(recall: Promise<readonly RecallHit[]>): Promise<readonly RecallHit[] | null> {
  try {
    return await recall;
  } catch (error) {
    if (isAway(error)) return null;
    throw error;
  }
}

function countBy(values: readonly (string | null)[]): Record<string, number> {
  // A map, because a tag may be called `constructor`.
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function refOf(entry: RankedMemory): MemoryRef {
  return { type: entry.memoryType, id: entry.memoryId };
}

function bestOfEachSession(entries: readonly RankedMemory[], heads: ReadonlyMap<string, MemoryHead>): RankedMemory[] {
  const seen = new Set<string>();
  return entries.filter((entry) => {
    const key = heads.get(entry.memoryId)?.sessionId ?? entry.memoryId;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function facetsOf(heads: readonly MemoryHead[]): SearchResult['facets'] {
  return {
    type: countBy(heads.map((head) => head.type)),
    tool: countBy(heads.map((head) => head.tool)),
    project: countBy(heads.map((head) => head.projectName)),
    tag: countBy(heads.flatMap((head) => [...head.tags])),
  };
}

function hitsFor({ offset, limit }: SearchRequest): number {
  return Math.min(Math.max((offset + limit) * HITS_PER_RESULT, LEAST_HITS), MOST_HITS);
}

/** Hybrid search: keyword and vector recall side by side, fused, read from PostgreSQL. Answers degrade and never fail while PostgreSQL stands. */
export function createSearch(dependencies: SearchDependencies): (request: SearchRequest) => Promise<SearchResult> {
  const { database, vectors, indexOf, keywordWeight, ranking, onStage } = dependencies;

  const vectorOf = createQueryVectors();

  const timed = async <Result>(stage: 'embed' | 'recall' | 'read', work: Promise<Result>): Promise<Result> => {
    const started = performance.now();
    try {
      return await work;
    } finally {
      onStage(stage, (performance.now() - started) / 1_000);
    }
  };

  const nearest = async (request: SearchRequest, index: ServedIndex): Promise<readonly RecallHit[]> => {
    const vector = await timed('embed', vectorOf(index.embedder, request.question));
    return vector === undefined
      ? []
      : vectors.nearest(request.tenantId, index.name, vector, request.filter, hitsFor(request));
  };

  /** Both lanes; where either part of the vector lane is away, PostgreSQL answers by keyword. */
  const recall = async (request: SearchRequest): Promise<{ lanes: Lane[]; degraded: 'vector'[] }> => {
    const index = await indexOf(request.tenantId);
    const [keyword, vector] = await Promise.all([
      laneHits(vectors.keyword(request.tenantId, index.name, request.question, request.filter, hitsFor(request))),
      laneHits(nearest(request, index)),
    ]);
    // Without an embedder nothing new reaches the vector index, so its words are not all there are, either.
    const words =
      vector === null || keyword === null
        ? await searchKeyword(database.pool, request.tenantId, request.question, request.filter, hitsFor(request))
        : keyword;
    if (vector === null) return { lanes: [{ name: 'keyword', weight: 1, hits: words }], degraded: ['vector'] };
    return {
      lanes: [
        { name: 'keyword', weight: keywordWeight, hits: words },
        { name: 'vector', weight: 1 - keywordWeight, hits: vector },
      ],
      degraded: [],
    };
  };

  return async (request) => {
    const { lanes, degraded } = await timed('recall', recall(request));
    const fused = rankMemories(lanes, request.question, ranking)
      .filter((memory) => memory.score >= request.minScore)
      .slice(0, MAX_CANDIDATES);
    if (fused.length === 0) return { found: [], total: 0, facets: facetsOf([]), degraded };
    return timed(
      'read',
      database.readAsTenant(request.tenantId, async (read) => {
        const { viewerId } = request.filter;
        // Texts are read of those alone that are shown: a candidate can hold 64 KiB.
        const heads = new Map((await readHeads(read, fused.map(refOf), viewerId)).map((head) => [head.id, head]));
        const known = fused.filter((entry) => heads.has(entry.memoryId));
        const listed = request.groupBySession ? bestOfEachSession(known, heads) : known;
        const page = listed.slice(request.offset, request.offset + request.limit);
        const memories = await readMemories(read, page.map(refOf), viewerId);
        const byId = new Map(memories.map((memory) => [memory.id, memory]));
        return {
          found: page.flatMap((entry): FoundMemory[] => {
            const memory = byId.get(entry.memoryId);
            return memory === undefined ? [] : [{ ...entry, memory }];
          }),
          total: listed.length,
          facets: facetsOf(listed.flatMap((entry) => heads.get(entry.memoryId) ?? [])),
          degraded,
        };
      }),
    );
  };
}
