/* Memories as the client takes and gives them. Types alone: the build hands this file on as declarations. */

export type MemoryType = 'observation' | 'prompt' | 'summary' | 'learning';
export type LearningCategory = 'pattern' | 'solution' | 'error' | 'config' | 'best_practice' | 'general';

/** A memory with its full content. */
export interface Memory {
  readonly id: string;
  /** Eight characters that name it as its id does. */
  readonly hash: string;
  readonly type: MemoryType;
  /** Of an observation its type, of a prompt who spoke, of a summary its type or item kind, of a learning its category. */
  readonly kind: string;
  readonly title: string;
  readonly content: string;
  readonly preview: string;
  /** 0 to 1. */
  readonly score: number;
  readonly session: { readonly id: string; readonly external_id: string; readonly title: string | null } | null;
  /** De-duplication key of the event that brought it; null for what was derived. */
  readonly key: string | null;
  /** Ids of the rows that it came from. */
  readonly sources: readonly string[];
  readonly project: string | null;
  readonly namespace: string;
  readonly tags: readonly string[];
  readonly tool: string | null;
  /** RFC 3339. */
  readonly occurred_at: string;
  readonly created_at: string;
  readonly highlights: readonly string[];
  /** Scores and ranks of each stage, with `explain`. */
  readonly explain?: Readonly<Record<string, unknown>>;
  /** With `include_vectors`. */
  readonly vector?: readonly number[] | null;
}

/** A memory in few tokens: enough to choose by, and the hash to fetch it with. */
export interface CompactMemory {
  readonly hash: string;
  /** At most 200 characters and 32 tokens. */
  readonly preview: string;
  readonly tags: readonly string[];
  /** YYYY-MM-DD */
  readonly created: string;
  /** Two decimals; absent where nothing was scored. */
  readonly score?: number;
}

export interface FetchedMemories {
  readonly data: readonly Memory[];
  /** Ids and hashes that name nothing. */
  readonly missing: readonly string[];
}

/** Something to remember. */
export interface NewMemory {
  /** 1 to 65,536 bytes. */
  readonly content: string;
  readonly title?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly category?: LearningCategory | undefined;
  /** Id, git remote, root path or name; one that is not known is made. */
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  /** 0 to 1; default 0.8. */
  readonly importance?: number | undefined;
  /** RFC 3339. */
  readonly occurred_at?: string | undefined;
  /** Compare it with what is known: the same is not stored twice, what it contradicts is closed. */
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
  /** Versions of a learning, or rows of a captured event. */
  readonly forgotten: number;
}

/** Options of a read of full memories. */
export interface GetOptions {
  /** RFC 3339: as it was then. */
  readonly as_of?: string | undefined;
  /** Id of the context that named it, which learns from it what was useful. */
  readonly used_in?: string | undefined;
}

/** Of a learning its words; of what was captured tags, importance and flag alone. */
export interface MemoryChanges {
  readonly content?: string | undefined;
  readonly title?: string | undefined;
  readonly category?: LearningCategory | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly importance?: number | undefined;
  readonly flagged?: boolean | undefined;
}
