/* The client's methods and their types. The build publishes this file as declarations. Fields are named as in the HTTP API. */

import type {
  BatchItem,
  CompactAnswer,
  CompactMemory,
  ContextAnswer,
  ContextBody,
  ErrorAnswer,
  FeedAnswer,
  FeedDensity,
  FeedDensityQuery,
  FeedQuery,
  FetchedMemories,
  ForgetOptions,
  ForgottenMemory,
  FullHealth,
  GetOptions,
  Memory,
  MemoryChanges,
  MixedTimeline,
  NewMemory,
  SearchAnswer,
  SearchQuery,
  SemanticBody,
  ServedContextDetail,
  ServedContexts,
  ServedContextsQuery,
  StoredMemory,
  StreamMessage,
  StreamQuery,
  SuggestAnswer,
  TimelineQuestion,
} from './shapes.ts';

export type * from './shapes.ts';

export type MemoryType = Memory['type'];
export type LearningCategory = Exclude<NewMemory['category'], undefined>;
export type ErrorDetail = ErrorAnswer['details'][number];
export type Suggestion = SuggestAnswer['data'][number];

/** The compact form has no `dependencies`. `down`: capture is unavailable. */
export type Health = Pick<FullHealth, 'status'> & Partial<FullHealth>;

interface OneOrMoreTypes {
  readonly type?: MemoryType | readonly MemoryType[] | undefined;
}
export type SearchOptions = Omit<SearchQuery, 'q' | 'type'> & OneOrMoreTypes;
export type SemanticQuestion = Omit<SemanticBody, 'type'> & OneOrMoreTypes;

export type TimelineAnswer<Item = Memory> = Omit<MixedTimeline, 'anchor' | 'data'> & {
  readonly anchor: Item | null;
  /** In chronological order. */
  readonly data: readonly Item[];
};

/** Purpose of a context. A session start needs a project or a session, a prompt its text, a file its path. */
export type ContextQuestion = Pick<ContextBody, keyof ContextBody>;

export type StreamEventType = NonNullable<StreamQuery['type']>[number];
/** An event; or `ready`: the stream is open, and nothing is missing from its `id` on; or `reset`: events are missing, so that lists must be read again. */
export type StreamEvent = Exclude<StreamMessage, { readonly type: 'beat' }>;
export type WatchOptions = Omit<StreamQuery, 'type'> & {
  readonly type?: StreamEventType | readonly StreamEventType[] | undefined;
};

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call and its retries. */
  readonly signal?: AbortSignal | undefined;
  /** Timeout of one attempt, in ms. */
  readonly timeoutMs?: number | undefined;
}

/** The part of `fetch` that the client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
    /** Required with a stream as body. */
    readonly duplex?: 'half';
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body?: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
}>;

export interface ClientOptions {
  /** URL of the server, such as `https://memory.example.org`; '' in a page of the server itself. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Timeout of one attempt, in ms; default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts after the first; default 3. */
  readonly retries?: number | undefined;
  /** Longest wait before another attempt, in ms; the client does not retry if the server requests a longer one. Default 30,000. */
  readonly maxRetryWaitMs?: number | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: Fetch | undefined;
}

/** Codes of the client itself: no response, none in time, aborted by the caller, a response not from Recollect, an invalid call. */
export type ClientErrorCode = 'UNREACHABLE' | 'TIMEOUT' | 'ABORTED' | 'BAD_ANSWER' | 'INVALID_CALL';

/** Properties of a RecollectError besides its message. */
export interface Failure {
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** Error code of the server, or a ClientErrorCode. */
  readonly code: string;
  readonly details?: readonly ErrorDetail[];
  /** Id of the request in the server's log. */
  readonly requestId?: string | null;
  /** Wait that the server requests. */
  readonly retryAfterMs?: number | null;
  /** Results of `storeBatch` for the memories before the failed part, in order. */
  readonly items?: readonly BatchItem[];
  readonly cause?: unknown;
}

/** Client of a memory server. All methods reject only with RecollectError. */
export interface RecollectApi {
  /** Returns the results of a hybrid search, best first. */
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
  /** Returns memories with all of these tags, ordered by similarity to `q` if given. */
  searchByTag(
    tags: string | readonly string[],
    options?: Omit<SearchOptions, 'tags' | 'format'> & { readonly q?: string | undefined },
    call?: CallOptions,
  ): Promise<SearchAnswer>;
  /** Returns the best matches in few tokens: five compact memories by default. */
  recall(q: string, options?: Omit<SearchOptions, 'format'>, call?: CallOptions): Promise<readonly CompactMemory[]>;
  /** Yields every result of a search, best first. Pages of `limit` are fetched only as they are consumed; ends at the 100th. */
  searchIter(
    q: string,
    options?: Omit<SearchOptions, 'format'>,
    call?: CallOptions,
  ): AsyncGenerator<Memory, void, undefined>;
  /** Searches by meaning only. */
  searchSemantic(question: SemanticQuestion, call?: CallOptions): Promise<SearchAnswer>;
  /** Returns completions of a query. */
  suggest(q: string, limit?: number, call?: CallOptions): Promise<readonly Suggestion[]>;
  /** Returns the memories before and after an anchor. */
  timeline(
    question: TimelineQuestion & { readonly format: 'compact' },
    call?: CallOptions,
  ): Promise<TimelineAnswer<CompactMemory>>;
  timeline(
    question: TimelineQuestion & { readonly format?: 'full' | undefined },
    call?: CallOptions,
  ): Promise<TimelineAnswer>;
  get(id: string, options?: GetOptions, call?: CallOptions): Promise<Memory>;
  /** Rejects with HASH_AMBIGUOUS and the candidates in `details` if several memories have the hash. */
  getByHash(hash: string, options?: GetOptions, call?: CallOptions): Promise<Memory>;
  /** Returns up to 100 memories by id or hash. */
  getMany(ids: readonly string[], options?: Pick<GetOptions, 'used_in'>, call?: CallOptions): Promise<FetchedMemories>;
  /** Stores a memory; a duplicate in the same project creates none. */
  store(memory: string | NewMemory, call?: CallOptions): Promise<StoredMemory>;
  /** Any number; sent in parts. Returns one item per memory, in order; a rejected memory does not affect the others. Where a part fails, the error's `items` are those before it. */
  storeBatch(memories: readonly (string | NewMemory)[], call?: CallOptions): Promise<readonly BatchItem[]>;
  /** Corrects a memory by id or hash. Returns the new version of a learning. */
  update(id: string, changes: MemoryChanges, call?: CallOptions): Promise<Memory>;
  /** Forgets a memory permanently, by id or hash; `with_sources`: and the captured events that it was made from. */
  remove(id: string, options?: ForgetOptions, call?: CallOptions): Promise<ForgottenMemory>;
  /** Resolves with `down` instead of rejecting. */
  health(options?: { readonly format?: 'full' | 'compact' | undefined }, call?: CallOptions): Promise<Health>;
  /** Returns relevant memories, packed within a budget of tokens. */
  context(question: ContextQuestion, call?: CallOptions): Promise<ContextAnswer>;
  /** Returns contexts that were served, newest first. */
  contexts(query?: ServedContextsQuery, call?: CallOptions): Promise<ServedContexts>;
  /** Returns a served context with the reasons and the feedback of its items. */
  servedContext(id: string, call?: CallOptions): Promise<ServedContextDetail>;
  /** Returns what happened, newest first; `older` and `newer` of a page are cursors of the next ones. */
  feed(query?: FeedQuery, call?: CallOptions): Promise<FeedAnswer>;
  /** Counts what happened by buckets of time. */
  feedDensity(query?: FeedDensityQuery, call?: CallOptions): Promise<FeedDensity>;
  /**
   * Yields changes as they are committed, each once and in order. Connects again after a loss and continues after the last event; ends if `follow` is
   * false, and rejects if the server refuses the stream or `signal` aborts. `timeoutMs` limits each attempt to connect.
   */
  watch(options?: WatchOptions, call?: CallOptions): AsyncGenerator<StreamEvent, void, undefined>;
}
