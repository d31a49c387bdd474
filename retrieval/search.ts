import { asId, chunkObjectId } from '../domain/ids.ts';
import { VectorIndexUnavailable } from '../domain/ports/vector-index.ts';
import { termsInParts } from '../domain/context/passages.ts';
import { EVIDENCE_RESULTS } from '../domain/ranking/chance.ts';
import { rankMemories } from '../domain/ranking/rank.ts';
import type { RankedMemory } from '../domain/ranking/rank.ts';
import type { TenantRead } from '../stores/postgres/connection/database.ts';
import { readContaining } from '../stores/postgres/search/containing.ts';
import { readCandidates } from '../stores/postgres/search/candidates.ts';
import type { Candidates } from '../stores/postgres/search/candidates.ts';
import { readMemories } from '../stores/postgres/memories/memories.ts';
import type { MemoryRef } from '../stores/postgres/memories/memories.ts';
import { bestOfEachSession, facetsOf, judged, scored } from './score.ts';
import type { Candidate } from './score.ts';
import { needsPostgres, recall } from './recall.ts';
import { isNewestQuery } from './recall-beside.ts';
import { MAX_CANDIDATES } from '../domain/search-names.ts';
import type { Degradation } from '../domain/search-names.ts';
import type { SearchDependencies, SearchRequest, SearchResult, TracedMemory } from './search-types.ts';
import { createStageClock, within } from './stage-clock.ts';
import { understandQuery } from './understand-query.ts';
import { RerankerUnavailable } from '../domain/ports/embedder.ts';
import type { Embedder, Reranker } from '../domain/ports/embedder.ts';

/** Characters of a candidate for the cross-encoder: the limit of its window. */
const RERANK_CHARACTERS = 1_500;

/** Returns the relevance (0–1) of the best candidates to the query by id; null if the reranker is unavailable or too slow. Never takes longer than `timeoutMs`. */
export async function rerank(
  reranker: Reranker,
  query: string,
  candidates: readonly { readonly id: string; readonly text: string }[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, number> | null> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const scores = await reranker.score(
      query,
      candidates.map(({ text }) => text),
      signal,
    );
    return new Map(candidates.map(({ id }, place) => [id, scores[place] ?? 0]));
  } catch (error) {
    if (error instanceof RerankerUnavailable || signal.aborted) return null;
    throw error;
  }
}

/** 1.5 KB each: a query repeats for its next page, or by the next agent. */
const MAX_QUERIES = 500;

/** Caches the vectors of the latest queries by model. */
export function createQueryVectors(): (embedder: Embedder, query: string) => Promise<Float32Array | undefined> {
  const cached = new Map<string, Float32Array>();
  return async (embedder, query) => {
    const name = `${embedder.model}\u0000${query}`;
    const known = cached.get(name);
    if (known !== undefined) {
      // Moved to the end: the first entry is the least recently used.
      cached.delete(name);
      cached.set(name, known);
      return known;
    }
    const [vector] = await embedder.embed([query], 'query');
    if (vector !== undefined) {
      cached.set(name, vector);
      const [oldest] = cached.keys();
      if (cached.size > MAX_QUERIES && oldest !== undefined) cached.delete(oldest);
    }
    return vector;
  };
}

export type { FoundMemory, SearchDependencies, SearchRequest, SearchResult } from './search-types.ts';

/** Each session is represented by its best memory, without a penalty within the session: NDCG@10 of LongMemEval 0.962 against 0.955. */
const EACH_BY_ITSELF = { session: 0 };

/** The best candidates of all retrievers, with their rows. */
interface Inspected extends Pick<Candidates, 'heads'> {
  readonly fused: readonly RankedMemory[];
}

function refOf(entry: RankedMemory): MemoryRef {
  return { type: entry.memoryType, id: entry.memoryId };
}

/**
 * Hybrid search in stages: understand, recall, fuse, inspect in PostgreSQL, rerank, score, group, page, read. Results degrade; the
 * search fails only without PostgreSQL.
 */
export function createSearch(dependencies: SearchDependencies): (request: SearchRequest) => Promise<SearchResult> {
  const { database, vectors, indexOf, settings, onStage } = dependencies;
  const vectorOf = createQueryVectors();

  /** Returns the results' vectors by memory; null if the index is unavailable or slower than a retriever's timeout. */
  const vectorsOf = async (
    request: SearchRequest,
    shown: readonly Candidate[],
  ): Promise<ReadonlyMap<string, readonly number[]> | null> => {
    const index = await indexOf(request.tenantId);
    const names = shown.map(({ head }) => ({
      id: head.id,
      objectId: chunkObjectId(request.tenantId, asId(head.id), 0, index.name),
    }));
    try {
      const objectIds = names.map(({ objectId }) => objectId);
      const known = await within(
        settings.retrieverTimeoutMs,
        vectors.vectorsOf(request.tenantId, index.name, objectIds),
      );
      return known && new Map(names.map(({ id, objectId }) => [id, known.get(objectId) ?? []]));
    } catch (error) {
      if (error instanceof VectorIndexUnavailable) return null;
      throw error;
    }
  };

  return async (request) => {
    const clock = createStageClock(onStage);
    // A vector alone has no words for a cross-encoder.
    const reranker = request.vector === undefined ? dependencies.reranker : null;
    const understoodQuery = await clock.time('understand', () => understandQuery(database, request));
    const nothing = { found: [], total: 0, facets: facetsOf([]), nothingFits: false };
    if (understoodQuery === null) return { ...nothing, degraded: [], understood: null, stages: clock.times() };
    const { understood } = understoodQuery;
    const recalled = await clock.time('recall', () => recall(dependencies, vectorOf, request, understoodQuery, clock));
    const degraded: Degradation[] = [...recalled.degraded];
    if (recalled.objectIds.length + recalled.memories.length === 0)
      return { ...nothing, degraded, understood, stages: clock.times() };
    const { groupBySession } = request;
    const { viewerId, asOf, phrases = [], files = [] } = understoodQuery.filter;
    const view = { tenantId: request.tenantId, viewerId, bounds: request.bounds };

    /** Reads the candidates' rows, ranks them, and omits those that fail the filters which only PostgreSQL checks, before the best are taken. */
    const inspect = async (read: TenantRead): Promise<Inspected> => {
      const { index, objectIds, memories } = recalled;
      const characters = reranker === null ? 0 : RERANK_CHARACTERS;
      const rows = { index, objectIds, memories, viewerId, asOf, characters };
      const { heads, hitOf } = await clock.time('inspect', () => readCandidates(read, rows));
      const weights = groupBySession ? EACH_BY_ITSELF : settings.ranking;
      const ranked = clock.timeNow('fuse', () =>
        rankMemories(recalled.retrieversOf(hitOf), understoodQuery.text, weights),
      );
      if (!needsPostgres(understoodQuery.filter)) return { heads, fused: ranked.slice(0, MAX_CANDIDATES) };
      const holders = await clock.time('inspect', () => readContaining(read, ranked.map(refOf), phrases, files));
      return { heads, fused: ranked.filter(({ memoryId }) => holders.has(memoryId)).slice(0, MAX_CANDIDATES) };
    };

    /** All stages between PostgreSQL's rows and the page. */
    const choose = ({ heads, fused }: Inspected, reranked: ReadonlyMap<string, number> | null) => {
      const known = fused.flatMap((entry, place) => {
        const head = heads.get(entry.memoryId);
        return head === undefined ? [] : [{ fused: entry, head, fusedRank: place + 1 }];
      });
      const ranked = clock.timeNow('score', () =>
        scored(known, {
          reranked,
          time: understood?.time ?? null,
          timeAlone: understood?.timeAlone ?? false,
          timeBonus: settings.timeBonus,
          words: termsInParts(understoodQuery.text),
          recencyWeight: isNewestQuery(understoodQuery) ? 1 : understood?.newest === true ? settings.recencyWeight : 0,
        }),
      );
      const places = new Map(ranked.map(({ head }, place) => [head.id, place + 1]));
      return { ranked, listed: groupBySession ? bestOfEachSession(ranked) : ranked, places };
    };
    const pageOf = (listed: readonly Candidate[]) => listed.slice(request.offset, request.offset + request.limit);
    /** Reads the page, and the first results, whose texts decide whether anything fits. */
    const readShown = (read: TenantRead, { listed }: { readonly listed: readonly Candidate[] }) => {
      const needed = new Set([...listed.slice(0, EVIDENCE_RESULTS), ...pageOf(listed)]);
      const refs = [...needed].map((candidate) => refOf(candidate.fused));
      return readMemories(read, refs, viewerId, asOf);
    };

    // One transaction without waits; while a cross-encoder runs, no connection is in use.
    const one = async (read: TenantRead) => {
      const chosen = choose(await inspect(read), null);
      return { chosen, memories: await clock.time('read', () => readShown(read, chosen)), reranked: null };
    };
    const two = async (model: NonNullable<typeof reranker>) => {
      const inspected = await database.readAsTenant(view, inspect);
      const candidates = inspected.fused
        .flatMap(({ memoryId: id }) => {
          const head = inspected.heads.get(id);
          return head === undefined ? [] : [{ id, text: head.beginning }];
        })
        .slice(0, settings.rerankCandidates);
      const reranked = await clock.time('rerank', () =>
        rerank(model, understoodQuery.text, candidates, settings.rerankTimeoutMs),
      );
      const chosen = choose(inspected, reranked);
      const memories = await clock.time('read', () => database.readAsTenant(view, (read) => readShown(read, chosen)));
      return { chosen, memories, reranked };
    };
    const { chosen, memories, reranked } =
      reranker === null ? await database.readAsTenant(view, one) : await two(reranker);
    if (reranker !== null && reranked === null) degraded.push('rerank');

    const byId = new Map(memories.map((memory) => [memory.id, memory]));
    const texts = chosen.listed.slice(0, EVIDENCE_RESULTS).flatMap(({ head }) => {
      const memory = byId.get(head.id);
      return memory === undefined ? [] : [`${memory.title}\n${memory.content}`];
    });
    const { nothingFits, ofRank } = judged(chosen.ranked, texts, understoodQuery, recalled);
    const fitting =
      nothingFits && request.nearest !== true
        ? []
        : chosen.listed.filter((_, place) => ofRank(place + 1) >= request.minScore);
    const shown = pageOf(fitting);
    const shownVectors = request.includeVectors === true ? await vectorsOf(request, shown) : undefined;
    if (shownVectors === null && !degraded.includes('vector')) degraded.push('vector');
    const byRerank = [...(reranked ?? [])].sort((a, b) => b[1] - a[1]).map(([id]) => id);
    return {
      found: shown.flatMap((candidate, place): TracedMemory[] => {
        const { head, score } = candidate;
        const memory = byId.get(head.id);
        if (memory === undefined) return [];
        const vector = shownVectors?.get(head.id) ?? [];
        return [
          {
            ...candidate.fused,
            score: ofRank(request.offset + place + 1),
            memory,
            inTime: candidate.inTime,
            stages: {
              fused: { score: candidate.fused.score, rank: candidate.fusedRank },
              rerank:
                candidate.reranked === null ? null : { score: candidate.reranked, rank: byRerank.indexOf(head.id) + 1 },
              scored: { score, rank: chosen.places.get(head.id) ?? 0 },
            },
            ...(shownVectors === undefined ? {} : { vector: vector.length === 0 ? null : vector }),
          },
        ];
      }),
      total: fitting.length,
      facets: facetsOf(fitting.map(({ head }) => head)),
      nothingFits,
      degraded,
      understood,
      stages: clock.times(),
    };
  };
}
