/* Memories as the client takes and gives them. Types alone: the build hands this file on as declarations. */

export type MemoryType = 'observation' | 'prompt' | 'summary' | 'learning';
export type LearningCategory = 'pattern' | 'solution' | 'error' | 'config' | 'best_practice' | 'general';

/** A memory with its full content. */
export interface Memory {
  readonly id: string;
  /** Eight characters that name the memory, derived from its id. */
  readonly hash: string;
  readonly type: MemoryType;
  /** Type of an observation, role of a prompt, type or item kind of a summary, category of a learning. */
  readonly kind: string;
  readonly title: string;
  readonly content: string;
  readonly preview: string;
  /** 0 to 1. */
  readonly score: number;
  readonly session: { readonly id: string; readonly external_id: string; readonly title: string | null } | null;
  /** De-duplication key of the captured event; null for derived memories. */
  readonly key: string | null;
  /** Ids of the source rows. */
  readonly sources: readonly string[];
  readonly project: string | null;
  readonly namespace: string;
  readonly tags: readonly string[];
  readonly tool: string | null;
  /** RFC 3339. */
  readonly occurred_at: string;
  readonly created_at: string;
  readonly highlights: readonly string[];
  /** Scores and ranks of each stage; only with `explain`. */
  readonly explain?: Readonly<Record<string, unknown>>;
  /** Only with `include_vectors`. */
  readonly vector?: readonly number[] | null;
}

/** A memory in few tokens: a preview, and the hash to fetch it with. */
export interface CompactMemory {
  readonly hash: string;
  /** At most 200 characters and 32 tokens. */
  readonly preview: string;
  readonly tags: readonly string[];
  /** YYYY-MM-DD */
  readonly created: string;
  /** Two decimals; absent without a score. */
  readonly score?: number;
}

export interface FetchedMemories {
  readonly data: readonly Memory[];
  /** Ids and hashes without a memory. */
  readonly missing: readonly string[];
}

/** A memory to store. */
export interface NewMemory {
  /** 1 to 65,536 bytes. */
  readonly content: string;
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly category?: LearningCategory | undefined;
  /** Id, git remote, root path or name; an unknown project is created, unless it is an id. */
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  /** 0 to 1; default 0.8. */
  readonly importance?: number | undefined;
  /** RFC 3339. */
  readonly occurred_at?: string | undefined;
  /** Compares the memory with existing learnings: duplicates are not stored, contradicted ones are closed. */
  readonly infer?: boolean | undefined;
}

export interface StoredMemory {
  readonly hash: string;
}

export interface BatchItem {
  readonly index: number;
  readonly status: 'stored' | 'duplicate' | 'rejected';
  readonly hash?: string | null;
  readonly code?: string | null;
  readonly message?: string | null;
}

export interface ForgottenMemory {
  readonly id: string;
  readonly hash: string;
  readonly type: MemoryType;
  /** Number of forgotten versions of a learning, or rows of a captured event. */
  readonly forgotten: number;
}

/** Options of a read of full memories. */
export interface GetOptions {
  /** RFC 3339: returns the versions that were current at this time. */
  readonly as_of?: string | undefined;
  /** Id of the context that served the memories: counts them as used. */
  readonly used_in?: string | undefined;
}

/** Changes the words of a learning; of an observation only tags, importance and flag. */
export interface MemoryChanges {
  readonly content?: string | undefined;
  readonly title?: string | undefined;
  readonly category?: LearningCategory | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly importance?: number | undefined;
  readonly flagged?: boolean | undefined;
}
