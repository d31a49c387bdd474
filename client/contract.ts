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
  /** Returns the best matches in few tokens: five compact memories by default. */
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
