import { z } from 'zod';
import { fuse } from '../../../domain/fusion.ts';
import type { RetrieverResult } from '../../../domain/fusion.ts';
import { asId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { IndexHit, RecallFilter, RecallHit } from '../../../domain/ports/vector-index.ts';
import { rankMemories } from '../../../domain/ranking/rank.ts';
import { createDatabase } from '../../../stores/postgres/connection/database.ts';
import { readCandidates } from '../../../stores/postgres/search/candidates.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { benchEmbedder } from '../embedder.ts';

/** Hits of both retrievers for one query. */
export interface RawResults {
  readonly keyword: readonly RecallHit[];
  readonly vector: readonly RecallHit[];
}

/** A found memory and its session. */
export interface Placed {
  readonly memoryId: string;
  readonly sessionId: string | null;
}

/** Rankings of the same hits, one per stage, with a keyword weight. Plain fusion is min-max relative scores. */
const VARIANTS = {
  keywordOnly: (_question, { keyword }) => ranked([{ name: 'keyword', weight: 1, hits: bare(keyword) }]),
  keywordRanked: (question, { keyword }) =>
    ranked([{ name: 'keyword', weight: 1, hits: keyword }], question, SESSION_WEIGHT),
  vectorOnly: (_question, { vector }) => ranked([{ name: 'vector', weight: 1, hits: bare(vector) }]),
  plainFusion: (_question, retrievers, weight) => placed(fuse(resultsOf(retrievers, weight)), retrievers),
  againstBest: (_question, { keyword, vector }, weight) =>
    ranked(resultsOf({ keyword: bare(keyword), vector: bare(vector) }, weight)),
  andKinds: (_question, retrievers, weight) => ranked(resultsOf(retrievers, weight)),
  andIntent: (question, retrievers, weight) => ranked(resultsOf(retrievers, weight), question),
  andSession: (question, retrievers, weight) => ranked(resultsOf(retrievers, weight), question, SESSION_WEIGHT),
} as const satisfies Readonly<
  Record<string, (question: string, retrievers: RawResults, weight: number) => readonly Placed[]>
>;
export type Variant = keyof typeof VARIANTS;
export const VARIANT_NAMES = Object.keys(VARIANTS).filter((name): name is Variant => name in VARIANTS);

/** Defaults of the search settings, and the weight as published for plain fusion. */
const KEYWORD_WEIGHT = 0.4;
const SESSION_WEIGHT = 0.2;
const PLAIN_WEIGHT = 0.35;

function resultsOf({ keyword, vector }: RawResults, weight: number): readonly RetrieverResult[] {
  return [
    { name: 'keyword', weight, hits: keyword },
    { name: 'vector', weight: 1 - weight, hits: vector },
  ];
}

/** Removes the kinds, so that priors do not apply. */
function bare(hits: readonly RecallHit[]): readonly RecallHit[] {
  return hits.map(({ kind: _kind, tool: _tool, ...hit }) => ({ ...hit, memoryType: 'prompt' }));
}

function ranked(retrievers: readonly RetrieverResult[], question = '', session = 0): readonly Placed[] {
  return rankMemories(retrievers, question, { session });
}

function placed(
  memories: readonly { readonly memoryId: string }[],
  { keyword, vector }: RawResults,
): readonly Placed[] {
  const sessions = new Map([...keyword, ...vector].map(({ memoryId, sessionId }) => [memoryId, sessionId ?? null]));
  return memories.map(({ memoryId }) => ({ memoryId, sessionId: sessions.get(memoryId) ?? null }));
}

/** Returns the hits in the order of a variant. */
export function rankedBy(
  variant: Variant,
  question: string,
  retrievers: RawResults,
  weight = variant === 'plainFusion' ? PLAIN_WEIGHT : KEYWORD_WEIGHT,
): readonly Placed[] {
  return VARIANTS[variant](question, retrievers, weight);
}

/** The hits of one query of a set. */
export interface JudgedQuery<Score> {
  /** Sessions with an answer. */
  readonly goldSessions: readonly string[];
  /** Scores the hits in the order of a variant. */
  readonly score: (variant: Variant, weight?: number) => Score;
}

export interface RetrieverReader {
  resultsOf(question: string, filter: RecallFilter, limit: number): Promise<RawResults>;
  close(): Promise<void>;
}

/** Queries the instance's Weaviate like search does, so that the same hits can be ranked in several ways. */
export async function createRetrieverReader({
  database,
  appDatabaseUrl,
  weaviate,
}: BenchInstance): Promise<RetrieverReader> {
  const { rows } = await database.query('SELECT tenant_id FROM sessions LIMIT 1');
  const [tenant] = z.array(z.object({ tenant_id: z.string() })).parse(rows);
  const tenantId = asId<TenantId>(tenant?.tenant_id ?? '');
  const index = createWeaviateIndex(weaviate);
  const app = createDatabase({
    privateRows: 'all',
    url: appDatabaseUrl,
    max: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 30_000,
    applicationName: 'bench',
    onIdleError: () => undefined,
  });
  const embedder = benchEmbedder({ threads: 1 });
  const name = indexNameOf(embedder.model);
  return {
    async resultsOf(question, filter, limit) {
      const [vector = new Float32Array()] = await embedder.embed([question], 'query');
      const [keyword, nearest] = await Promise.all([
        index.keyword(tenantId, name, question, filter, limit),
        index.nearest(tenantId, name, vector, filter, limit),
      ]);
      const objectIds = [...keyword, ...nearest].map(({ objectId }) => objectId);
      const rows = { index: name, objectIds, memories: [], viewerId: undefined, asOf: undefined, characters: 1 };
      const { hitOf } = await app.readAsTenant(tenantId, (read) => readCandidates(read, rows));
      const placed = (hits: readonly IndexHit[]) => hits.flatMap(({ objectId, score }) => hitOf(objectId, score) ?? []);
      return { keyword: placed(keyword), vector: placed(nearest) };
    },
    async close() {
      await embedder.close();
      await index.close();
      await app.close();
    },
  };
}
