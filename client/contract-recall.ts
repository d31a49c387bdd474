/* Types of search and context. No code: the build publishes this file as declarations. */

import type { CompactMemory, Memory, MemoryType } from './contract-memories.ts';

export interface Pagination {
  readonly page: number;
  readonly limit: number;
  readonly total: number;
  readonly total_pages: number;
  readonly has_next: boolean;
  readonly has_prev: boolean;
  readonly next_cursor: string | null;
}

type Counts = Readonly<Record<string, number>>;

export interface SearchAnswer {
  readonly data: readonly Memory[];
  readonly facets: { readonly type: Counts; readonly tool: Counts; readonly project: Counts; readonly tag: Counts };
  /** Retrievers and stages that were unavailable. */
  readonly degraded: readonly string[];
  readonly took_ms: number;
  readonly pagination: Pagination;
  /** The understood query and the duration of each stage; only with `explain`. */
  readonly explain?: Readonly<Record<string, unknown>> | null;
}

export interface CompactAnswer {
  readonly data: readonly CompactMemory[];
  /** Absent if everything was available. */
  readonly degraded?: readonly string[];
}

/** Filters of a search. Times are RFC 3339. */
export interface SearchFilter {
  readonly type?: MemoryType | readonly MemoryType[] | undefined;
  /** Id, git remote, root path or name. */
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly tool?: string | undefined;
  readonly kind?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Returns memories as of this time. */
  readonly as_of?: string | undefined;
}

export interface SearchOptions extends SearchFilter {
  /** 1 to 50; default 20. */
  readonly limit?: number | undefined;
  /** 0 to 100. */
  readonly offset?: number | undefined;
  /** 0 to 1. */
  readonly min_score?: number | undefined;
  /** `session`: the best memory of each session. */
  readonly group_by?: 'none' | 'session' | undefined;
  readonly include_vectors?: boolean | undefined;
  readonly explain?: boolean | undefined;
  readonly format?: 'full' | 'compact' | undefined;
}

export interface SemanticQuestion extends SearchFilter {
  /** Text to embed; alternative to `vector`. */
  readonly q?: string | undefined;
  readonly vector?: readonly number[] | undefined;
  readonly limit?: number | undefined;
  readonly include_vectors?: boolean | undefined;
  readonly explain?: boolean | undefined;
}

export interface Suggestion {
  readonly text: string;
  readonly kind: string;
  readonly count: number;
}

/** Timeline around a memory, or around the best result of a query. */
export interface TimelineQuestion {
  /** Id or hash. */
  readonly anchor?: string | undefined;
  readonly q?: string | undefined;
  /** 0 to 50; default 5. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  /** Reads the timeline of this project instead of the anchor's session. */
  readonly project?: string | undefined;
  /** Namespace of the project's timeline; default: that of the anchor. */
  readonly namespace?: string | undefined;
  readonly types?: readonly MemoryType[] | undefined;
  readonly format?: 'full' | 'compact' | undefined;
}

export interface TimelineAnswer<Item = Memory> {
  readonly anchor: Item | null;
  /** In chronological order. */
  readonly data: readonly Item[];
  readonly has_before: boolean;
  readonly has_after: boolean;
  /** Retrievers and stages that were unavailable in the search for `q`; absent if none. */
  readonly degraded?: readonly string[];
}

/** Purpose of a context. A session start needs a project or a session, a prompt its text, a file its path. */
export interface ContextQuestion {
  readonly purpose: 'session_start' | 'prompt' | 'file';
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  readonly session_id?: string | undefined;
  readonly prompt?: string | undefined;
  readonly file?: string | undefined;
  /** Maximum tokens, 50 to 8,000; default 900. */
  readonly budget_tokens?: number | undefined;
}

export interface ContextAnswer {
  /** Id for feedback; null if nothing was served. */
  readonly id: string | null;
  /** '' if no memory is relevant. */
  readonly text: string;
  readonly tokens: number;
  readonly items: readonly {
    readonly id: string;
    readonly hash: string;
    readonly type: MemoryType;
    readonly reason: string;
    readonly tokens: number;
    readonly score: number;
  }[];
  readonly omitted: number;
}
