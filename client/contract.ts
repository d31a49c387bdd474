/* All that the client takes and gives. Types alone: the build hands this file on as declarations. Fields are named as in the HTTP API. */

export type MemoryType = 'observation' | 'prompt' | 'summary' | 'learning';
export type LearningCategory = 'pattern' | 'solution' | 'error' | 'config' | 'best_practice' | 'general';

/** Anything that is remembered, whole. */
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
  /** What was away, so that it was searched without it. */
  readonly degraded: readonly string[];
  readonly took_ms: number;
  readonly pagination: Pagination;
  /** How the question was understood and what each stage took, with `explain`. */
  readonly explain?: Readonly<Record<string, unknown>> | null;
}

export interface CompactAnswer {
  readonly data: readonly CompactMemory[];
  /** Absent where nothing was away. */
  readonly degraded?: readonly string[];
}

/** What narrows a search. Times are RFC 3339. */
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
  /** What was known then. */
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
  /** Words to embed; or `vector`. */
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

/** Around a memory, or around what a question finds first. */
export interface TimelineQuestion {
  /** Id or hash. */
  readonly anchor?: string | undefined;
  readonly q?: string | undefined;
  /** 0 to 50; default 5. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  /** The line of the whole project instead of the anchor's session. */
  readonly project?: string | undefined;
  /** Of the project's line; that of the anchor unless given. */
  readonly namespace?: string | undefined;
  readonly types?: readonly MemoryType[] | undefined;
  readonly format?: 'full' | 'compact' | undefined;
}

export interface TimelineAnswer<Item = Memory> {
  readonly anchor: Item | null;
  /** In reading order. */
  readonly data: readonly Item[];
  readonly has_before: boolean;
  readonly has_after: boolean;
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

/** What a read of whole memories may say beside their names. */
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

export interface DependencyHealth {
  readonly status: 'ok' | 'away';
  readonly latency_ms: number | null;
}

export interface Health {
  /** `down`: nothing can be captured. */
  readonly status: 'ok' | 'degraded' | 'down';
  /** Absent in the compact form. */
  readonly dependencies?: Readonly<Record<string, DependencyHealth>>;
}

/** What context is for. A session start needs a project or a session, a prompt its words, a file its path. */
export interface ContextQuestion {
  readonly purpose: 'session_start' | 'prompt' | 'file';
  readonly project?: string | undefined;
  readonly namespace?: string | undefined;
  readonly session_id?: string | undefined;
  readonly prompt?: string | undefined;
  readonly file?: string | undefined;
  /** 50 to 8,000; default 900. */
  readonly budget_tokens?: number | undefined;
}

export interface ContextAnswer {
  /** For feedback; null where nothing was served. */
  readonly id: string | null;
  /** '' where nothing is worth telling. */
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

/** What one call may be given beside its question. */
export interface CallOptions {
  /** Ends the call, its retries included. */
  readonly signal?: AbortSignal | undefined;
  /** Bound of one attempt. */
  readonly timeoutMs?: number | undefined;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface ClientOptions {
  /** Of the server, as `https://memory.example.org`; '' in a page that the server itself serves. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Bound of one attempt; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first; default 3. */
  readonly retries?: number | undefined;
  /** Longest wait before another attempt; a server that asks for more is not asked again. Default 30,000. */
  readonly maxRetryWaitMs?: number | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Instead of the platform's. */
  readonly fetch?: Fetch | undefined;
}

/** Codes beside those of the server: no answer, none in time, the caller's signal, an answer that is none of ours. */
export type ClientErrorCode = 'UNREACHABLE' | 'TIMEOUT' | 'ABORTED' | 'BAD_ANSWER';

export interface ErrorDetail {
  readonly field: string;
  readonly message: string;
  /** Of an ambiguous hash: what it may mean. */
  readonly id?: string;
  readonly type?: string;
  readonly preview?: string;
}

/** What every method of a memory server's client does. All of them reject with RecollectError alone. */
export interface RecollectApi {
  /** Hybrid search, the best first. */
  search(
    q: string,
    options: SearchOptions & { readonly format: 'compact' },
    call?: CallOptions,
  ): Promise<CompactAnswer>;
  search(
    q: string,
    options?: SearchOptions & { readonly format?: 'full' | undefined },
    call?: CallOptions,
  ): Promise<SearchAnswer>;
  /** What carries all of these tags, the nearest to `q` first where it is given. */
  searchByTag(
    tags: string | readonly string[],
    options?: Omit<SearchOptions, 'tags' | 'format'> & { readonly q?: string | undefined },
    call?: CallOptions,
  ): Promise<SearchAnswer>;
  /** The few best in few tokens: five compact memories unless told otherwise. */
  recall(q: string, options?: Omit<SearchOptions, 'format'>, call?: CallOptions): Promise<readonly CompactMemory[]>;
  /** Every memory that a search finds, the best first. Pages of `limit` are fetched only as they are consumed; ends at the 100th. */
  searchIter(
    q: string,
    options?: Omit<SearchOptions, 'format'>,
    call?: CallOptions,
  ): AsyncGenerator<Memory, void, undefined>;
  /** By meaning alone. */
  searchSemantic(question: SemanticQuestion, call?: CallOptions): Promise<SearchAnswer>;
  /** Completions of what was typed. */
  suggest(q: string, limit?: number, call?: CallOptions): Promise<readonly Suggestion[]>;
  /** What came before and after. */
  timeline(
    question: TimelineQuestion & { readonly format: 'compact' },
    call?: CallOptions,
  ): Promise<TimelineAnswer<CompactMemory>>;
  timeline(
    question: TimelineQuestion & { readonly format?: 'full' | undefined },
    call?: CallOptions,
  ): Promise<TimelineAnswer>;
  get(id: string, options?: GetOptions, call?: CallOptions): Promise<Memory>;
  /** Rejects with HASH_AMBIGUOUS and the candidates in `details` where a hash names several. */
  getByHash(hash: string, options?: GetOptions, call?: CallOptions): Promise<Memory>;
  /** Up to 100 by id or hash. */
  getMany(ids: readonly string[], options?: Pick<GetOptions, 'used_in'>, call?: CallOptions): Promise<FetchedMemories>;
  /** The same content in the same project is one memory, however often it is stored. */
  store(memory: string | NewMemory, call?: CallOptions): Promise<StoredMemory>;
  /** Any number; sent in parts. Answers one item a memory, in the order given: one bad item spoils no other. Where a part fails, the error's `items` are those before it. */
  storeBatch(memories: readonly (string | NewMemory)[], call?: CallOptions): Promise<readonly BatchItem[]>;
  /** Corrects, by id or hash. A learning becomes a new version, which is answered. */
  update(id: string, changes: MemoryChanges, call?: CallOptions): Promise<Memory>;
  /** Forgets, for good; by id or hash. */
  remove(id: string, call?: CallOptions): Promise<ForgottenMemory>;
  /** Answers `down`, too, instead of rejecting. */
  health(options?: { readonly format?: 'full' | 'compact' | undefined }, call?: CallOptions): Promise<Health>;
  /** What is worth knowing, packed under a budget of tokens. */
  context(question: ContextQuestion, call?: CallOptions): Promise<ContextAnswer>;
}
