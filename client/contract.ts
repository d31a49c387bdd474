/* All that the client does. Types alone: the build hands this file on as declarations. Fields are named as in the HTTP API. */

import type { CallOptions, Health } from './contract-calls.ts';
import type {
  BatchItem,
  CompactMemory,
  FetchedMemories,
  ForgottenMemory,
  GetOptions,
  Memory,
  MemoryChanges,
  NewMemory,
  StoredMemory,
} from './contract-memories.ts';
import type {
  CompactAnswer,
  ContextAnswer,
  ContextQuestion,
  SearchAnswer,
  SearchOptions,
  SemanticQuestion,
  Suggestion,
  TimelineAnswer,
  TimelineQuestion,
} from './contract-recall.ts';

export type * from './contract-calls.ts';
export type * from './contract-memories.ts';
export type * from './contract-recall.ts';

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
  /** Forgets a memory permanently, by id or hash. */
  remove(id: string, call?: CallOptions): Promise<ForgottenMemory>;
  /** Resolves with `down` instead of rejecting. */
  health(options?: { readonly format?: 'full' | 'compact' | undefined }, call?: CallOptions): Promise<Health>;
  /** Returns relevant memories, packed within a budget of tokens. */
  context(question: ContextQuestion, call?: CallOptions): Promise<ContextAnswer>;
}
