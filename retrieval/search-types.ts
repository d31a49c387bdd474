import type { Degradation, StageName } from '../domain/search-names.ts';
import type { Bounds } from '../domain/access.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Memory } from '../domain/memory.ts';
import type { ServedIndexOf, Reranker } from '../domain/ports/embedder.ts';
import type { RecallFilter, VectorIndex } from '../domain/ports/vector-index.ts';
import type { RankedMemory, RankingWeights } from '../domain/ranking/rank.ts';
import type { Understood } from '../domain/query/understand.ts';
import type { Database } from '../stores/postgres/connection/database.ts';

/** Weights and limits; documented in `config/search-settings.ts`. */
export interface SearchSettings {
  /** 0–1; the vector retriever has the rest. */
  readonly keywordWeight: number;
  readonly ranking: RankingWeights;
  readonly recencyWeight: number;
  readonly timeBonus: number;
  readonly retrieverTimeoutMs: number;
  readonly rerankCandidates: number;
  readonly rerankTimeoutMs: number;
}

export interface SearchDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  /** The served index of a tenant. */
  readonly indexOf: ServedIndexOf;
  /** Null if none is installed. */
  readonly reranker: Reranker | null;
  readonly settings: SearchSettings;
  /** Receives the duration of each stage, in seconds. */
  readonly onStage: (stage: StageName, seconds: number) => void;
}

export interface SearchRequest {
  readonly tenantId: TenantId;
  /** Of the key; null: none. The filter names a project and a namespace within them. */
  readonly bounds: Bounds | null;
  readonly query: string;
  readonly filter: RecallFilter;
  readonly limit: number;
  readonly offset: number;
  /** Least chance of a result. */
  readonly minScore: number;
  /** Returns the nearest results also if nothing fits. */
  readonly nearest?: boolean;
  readonly groupBySession: boolean;
  /** Current time for a user's query: enables its parsing (phrases, fields, times; see docs/search.md) and finds unindexed rows. Undefined: plain words, indexed rows only. */
  readonly now?: Date;
  /** Searches by vector only, of the query or this one. */
  readonly vectorOnly?: boolean;
  readonly vector?: Float32Array;
  /** Reads the vectors of the results. */
  readonly includeVectors?: boolean;
}

/** Rank and value after a stage; 1 is best. */
export interface StageScore {
  readonly score: number;
  readonly rank: number;
}

export interface FoundMemory extends RankedMemory {
  /** Chance of being relevant, 0–1: never rises down the list (domain/ranking/chance.ts). `stages` has the score of the ranking. */
  readonly score: number;
  readonly memory: Memory;
}

/** A result with its scores per stage. */
export interface TracedMemory extends FoundMemory {
  /** Scores after fusion; `rerank` is null without a cross-encoder score. */
  readonly stages: {
    readonly fused: StageScore;
    readonly rerank: StageScore | null;
    readonly scored: StageScore;
  };
  /** Whether it happened at the query's time; null without one. */
  readonly inTime: boolean | null;
  /** Of its first chunk, null without one; absent if not requested. */
  readonly vector?: readonly number[] | null;
}

export interface StageTime {
  readonly stage: StageName;
  readonly tookMs: number;
}

export interface SearchResult {
  readonly found: readonly TracedMemory[];
  /** Matching memories among the candidates. */
  readonly total: number;
  /** True if memories were found, but none fits the query: results are then omitted, unless the nearest were requested. */
  readonly nothingFits: boolean;
  readonly facets: Readonly<Record<'type' | 'tool' | 'project' | 'tag', Readonly<Record<string, number>>>>;
  /**
   * Unavailable or slow parts: `vector` if only keywords were compared, `keyword` if not even those, or if PostgreSQL's own results were
   * late, `rerank` if the fused order was used.
   */
  readonly degraded: readonly Degradation[];
  /** Null if the query was not parsed. */
  readonly understood: Understood | null;
  readonly stages: readonly StageTime[];
}
