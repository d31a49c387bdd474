import type { TenantId } from '../domain/ids.ts';
import type { Memory } from '../domain/memory.ts';
import type { ServedIndexOf } from '../domain/ports/embedder.ts';
import type { Reranker } from '../domain/ports/reranker.ts';
import type { RecallFilter, VectorIndex } from '../domain/ports/vector-index.ts';
import type { RankedMemory, RankingWeights } from '../domain/ranking/rank.ts';
import type { Understood } from '../domain/query/understand.ts';
import type { Database } from '../stores/postgres/connection/database.ts';

/** Memories that are looked at after fusion: what can be paged through, and what facets count. */
export const MAX_CANDIDATES = 100;

/** Weights and bounds; `config/search-settings.ts` says what each is for. */
export interface SearchSettings {
  /** 0–1; the vector lane has the rest. */
  readonly keywordWeight: number;
  readonly ranking: RankingWeights;
  readonly graphWeight: number;
  readonly recencyWeight: number;
  readonly timeBonus: number;
  readonly diversity: number;
  readonly retrieverTimeoutMs: number;
  readonly rerankCandidates: number;
  readonly rerankTimeoutMs: number;
}

/** Stages of a search, in the order of its work; lanes of recall run side by side. */
export const STAGES = [
  'understand',
  'embed',
  'keyword',
  'vector',
  'waiting',
  'graph',
  'recency',
  'recall',
  'fuse',
  'inspect',
  'rerank',
  'score',
  'diversify',
  'read',
] as const;
export type StageName = (typeof STAGES)[number];

export interface SearchDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  /** The index that a tenant is searched in. */
  readonly indexOf: ServedIndexOf;
  /** Null where none is installed. */
  readonly reranker: Reranker | null;
  readonly settings: SearchSettings;
  /** ServedMemories how long each stage took, in seconds. */
  readonly onStage: (stage: StageName, seconds: number) => void;
}

export interface SearchRequest {
  readonly tenantId: TenantId;
  readonly query: string;
  readonly filter: RecallFilter;
  readonly limit: number;
  readonly offset: number;
  readonly minScore: number;
  readonly groupBySession: boolean;
  /**
   * The clock of a person's question: it is taken apart (phrases, fields, times; see docs/search.md), and what waits for its vector is found, too.
   * Undefined: every word is a word, and only what is indexed is found.
   */
  readonly now?: Date;
  /** Compares by meaning alone, with the question's vector or this one. */
  readonly vectorOnly?: boolean;
  readonly vector?: Float32Array;
  /** Reads the vectors of what is shown. */
  readonly includeVectors?: boolean;
}

/** Place and value after a stage; 1 is best. */
export interface StageScore {
  readonly score: number;
  readonly rank: number;
}

export interface FoundMemory extends RankedMemory {
  readonly memory: Memory;
}

/** A result with its way through the stages. */
export interface TracedMemory extends FoundMemory {
  /** What became of it after the lanes were fused; `rerank` is null where no cross-encoder read it. */
  readonly stages: {
    readonly fused: StageScore;
    readonly rerank: StageScore | null;
    readonly scored: StageScore;
    readonly diversified: StageScore;
  };
  /** It happened at the time that the question speaks of; null where it speaks of none. */
  readonly inTime: boolean | null;
  /** Of its first chunk, null where it has none yet; left out where vectors were not asked for. */
  readonly vector?: readonly number[] | null;
}

export const DEGRADATIONS = ['vector', 'keyword', 'rerank'] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

export interface StageTime {
  readonly stage: StageName;
  readonly tookMs: number;
}

export interface SearchResult {
  readonly found: readonly TracedMemory[];
  /** Memories that match at all, among the candidates that were looked at. */
  readonly total: number;
  readonly facets: Readonly<Record<'type' | 'tool' | 'project' | 'tag', Readonly<Record<string, number>>>>;
  /**
   * What was away, or too slow: `vector` when only keywords could be compared, `keyword` when not even those, or what PostgreSQL alone
   * finds, came in time, `rerank` when the fused order stood.
   */
  readonly degraded: readonly Degradation[];
  /** Null where the question was not taken apart. */
  readonly understood: Understood | null;
  readonly stages: readonly StageTime[];
}
