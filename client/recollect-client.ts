import type {
  BatchItem,
  CallOptions,
  ClientOptions,
  CompactAnswer,
  CompactMemory,
  ContextAnswer,
  ContextQuestion,
  FeedAnswer,
  FeedDensity,
  FeedDensityQuery,
  FeedQuery,
  FetchedMemories,
  ForgetOptions,
  ForgottenMemory,
  GetOptions,
  Health,
  Memory,
  MemoryChanges,
  NewMemory,
  RecollectApi,
  SearchAnswer,
  SearchOptions,
  SemanticQuestion,
  ServedContextDetail,
  ServedContexts,
  ServedContextsQuery,
  StoredMemory,
  StreamEvent,
  Suggestion,
  TimelineAnswer,
  TimelineQuestion,
  WatchOptions,
} from './contract.ts';
import { invalidCall, RecollectError } from './recollect-error.ts';
import { Requester } from './requester.ts';
import { watchEvents } from './watch-events.ts';

/** Maximum memories of one request, and maximum with `infer` among them. */
const MOST = 1_000;
const MOST_COMPARED = 100;
/** Characters of JSON of one request: at most three bytes each, which fits the server's body limit. */
const MOST_CHARACTERS = 1_000_000;

interface BatchPart {
  /** Index of the part's first memory among all. */
  readonly from: number;
  readonly memories: readonly NewMemory[];
}

/** Splits memories into one part per request, in order. */
function batchParts(memories: readonly NewMemory[]): BatchPart[] {
  const parts: BatchPart[] = [];
  let from = 0;
  let characters = 0;
  let compared = 0;
  for (const [index, memory] of memories.entries()) {
    const size = JSON.stringify(memory).length;
    const isFull = index - from === MOST || characters + size > MOST_CHARACTERS || compared === MOST_COMPARED;
    if (index > from && isFull) {
      parts.push({ from, memories: memories.slice(from, index) });
      from = index;
      characters = 0;
      compared = 0;
    }
    characters += size;
    if (memory.infer === true) compared += 1;
  }
  if (from < memories.length) parts.push({ from, memories: memories.slice(from) });
  return parts;
}

const RECALLED = 5;
const PAGE = 20;
/** Highest offset of a search page. */
const MAX_OFFSET = 100;
const MAX_QUESTION = 500;

/** Encodes a name as a path segment. No memory has a name with a lone surrogate. */
function part(name: string): string {
  return encodeURIComponent(name.replaceAll(/\p{Surrogate}/gu, '\uFFFD'));
}

function memoryOf(given: string | NewMemory): NewMemory {
  return typeof given === 'string' ? { content: given } : given;
}

function partsOf(memories: readonly (string | NewMemory)[]): BatchPart[] {
  try {
    return batchParts(memories.map(memoryOf));
  } catch (error) {
    throw invalidCall(error);
  }
}

/** Returns tags as a query, without the characters that mark fields and phrases, truncated to the maximum length. */
function asWords(tags: readonly string[]): string {
  return tags
    .join(' ')
    .replaceAll(/[:："“”「」]/gu, ' ')
    .slice(0, MAX_QUESTION);
}

/** A memory server, over HTTP. Every method rejects with RecollectError. */
export class RecollectClient implements RecollectApi {
  readonly #requester: Requester;

  constructor(options: ClientOptions) {
    this.#requester = new Requester(options);
  }

  search(q: string, options: SearchOptions & { format: 'compact' }, call?: CallOptions): Promise<CompactAnswer>;
  search(
    q: string,
    options?: SearchOptions & { format?: 'full' | undefined },
    call?: CallOptions,
  ): Promise<SearchAnswer>;
  search(q: string, options: SearchOptions = {}, call?: CallOptions): Promise<SearchAnswer | CompactAnswer> {
    return this.#get('/search', { q, ...options }, call);
  }

  searchByTag(
    tags: string | readonly string[],
    { q, ...options }: Omit<SearchOptions, 'tags' | 'format'> & { readonly q?: string | undefined } = {},
    call?: CallOptions,
  ): Promise<SearchAnswer> {
    const named = typeof tags === 'string' ? [tags] : tags;
    // The tags are the answer; without a query, they are ordered by similarity to the tags themselves.
    return this.search(q ?? asWords(named), { nearest: true, ...options, tags: named }, call);
  }

  async recall(
    q: string,
    options: Omit<SearchOptions, 'format'> = {},
    call?: CallOptions,
  ): Promise<readonly CompactMemory[]> {
    return (await this.search(q, { limit: RECALLED, ...options, format: 'compact' }, call)).data;
  }

  async *searchIter(
    q: string,
    options: Omit<SearchOptions, 'format'> = {},
    call?: CallOptions,
  ): AsyncGenerator<Memory, void, undefined> {
    const limit = options.limit ?? PAGE;
    // A memory written meanwhile shifts the others: skip those already yielded.
    const given = new Set<string>();
    for (let offset = options.offset ?? 0; offset < MAX_OFFSET; offset += limit) {
      const { data, pagination } = await this.search(q, { ...options, limit, offset }, call);
      for (const memory of data) {
        if (given.has(memory.id)) continue;
        given.add(memory.id);
        yield memory;
      }
      if (!pagination.has_next || data.length === 0) return;
    }
  }

  searchSemantic(question: SemanticQuestion, call?: CallOptions): Promise<SearchAnswer> {
    const { type, ...rest } = question;
    return this.#post('/search/semantic', { ...rest, type: typeof type === 'string' ? [type] : type }, call, true);
  }

  async suggest(q: string, limit?: number, call?: CallOptions): Promise<readonly Suggestion[]> {
    return (await this.#get<{ data: readonly Suggestion[] }>('/search/suggest', { q, limit }, call)).data;
  }

  timeline(
    question: TimelineQuestion & { format: 'compact' },
    call?: CallOptions,
  ): Promise<TimelineAnswer<CompactMemory>>;
  timeline(question: TimelineQuestion & { format?: 'full' | undefined }, call?: CallOptions): Promise<TimelineAnswer>;
  timeline(question: TimelineQuestion, call?: CallOptions): Promise<TimelineAnswer | TimelineAnswer<CompactMemory>> {
    return this.#get('/timeline', { ...question }, call);
  }

  get(id: string, options: GetOptions = {}, call?: CallOptions): Promise<Memory> {
    return this.#get(`/memories/${part(id)}`, { ...options }, call);
  }

  getByHash(hash: string, options: GetOptions = {}, call?: CallOptions): Promise<Memory> {
    return this.#get(`/memories/by-hash/${part(hash)}`, { ...options }, call);
  }

  getMany(
    ids: readonly string[],
    options: Pick<GetOptions, 'used_in'> = {},
    call?: CallOptions,
  ): Promise<FetchedMemories> {
    return this.#post('/memories/get', { ids, ...options }, call, true);
  }

  store(memory: string | NewMemory, call?: CallOptions): Promise<StoredMemory> {
    const body = memoryOf(memory);
    // A memory with infer may count as evidence each time; without it, repetition stores one memory.
    return this.#post('/memories', body, call, body.infer !== true);
  }

  async storeBatch(memories: readonly (string | NewMemory)[], call?: CallOptions): Promise<readonly BatchItem[]> {
    const items: BatchItem[] = [];
    for (const { from, memories: sent } of partsOf(memories)) {
      const isRepeatable = sent.every((memory) => memory.infer !== true);
      const body = { memories: sent };
      try {
        const answer = await this.#post<{ items: readonly BatchItem[] }>('/memories/batch', body, call, isRepeatable);
        items.push(...answer.items.map((item) => ({ ...item, index: item.index + from })));
      } catch (error) {
        if (!(error instanceof RecollectError)) throw error;
        // Memories before the failure remain stored: the caller continues after them.
        const { status, code, details, requestId, retryAfterMs } = error;
        throw new RecollectError(error.message, {
          status,
          code,
          details,
          requestId,
          retryAfterMs,
          items,
          cause: error,
        });
      }
    }
    return items;
  }

  update(id: string, changes: MemoryChanges, call?: CallOptions): Promise<Memory> {
    const path = `/memories/${part(id)}`;
    return this.#requester.send({ method: 'PUT', path, body: changes, repeatable: true }, call);
  }

  remove(id: string, options: ForgetOptions = {}, call?: CallOptions): Promise<ForgottenMemory> {
    // Not repeatable: after a lost response, the repetition would report a memory that does not exist.
    const path = `/memories/${part(id)}`;
    return this.#requester.send({ method: 'DELETE', path, query: { ...options }, repeatable: false }, call);
  }

  health(options: { readonly format?: 'full' | 'compact' | undefined } = {}, call?: CallOptions): Promise<Health> {
    const query = { format: options.format === 'compact' ? options.format : undefined };
    // A server that is down responds with 503, which is a valid health report: no retry.
    return this.#requester.send({ method: 'GET', path: '/health', query, repeatable: true, accepts: [503] }, call);
  }

  context(question: ContextQuestion, call?: CallOptions): Promise<ContextAnswer> {
    return this.#post('/context', question, call, true);
  }

  contexts(query: ServedContextsQuery = {}, call?: CallOptions): Promise<ServedContexts> {
    return this.#get('/contexts', { ...query }, call);
  }

  servedContext(id: string, call?: CallOptions): Promise<ServedContextDetail> {
    return this.#get(`/contexts/${part(id)}`, {}, call);
  }

  feed(query: FeedQuery = {}, call?: CallOptions): Promise<FeedAnswer> {
    return this.#get('/feed', { ...query }, call);
  }

  feedDensity(query: FeedDensityQuery = {}, call?: CallOptions): Promise<FeedDensity> {
    return this.#get('/feed/density', { ...query }, call);
  }

  watch(options: WatchOptions = {}, call: CallOptions = {}): AsyncGenerator<StreamEvent, void, undefined> {
    return watchEvents(this.#requester, options, call);
  }

  #get<Answer extends object>(
    path: string,
    query: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>,
    call: CallOptions | undefined,
  ): Promise<Answer> {
    return this.#requester.send({ method: 'GET', path, query, repeatable: true }, call);
  }

  #post<Answer extends object>(
    path: string,
    body: object,
    call: CallOptions | undefined,
    repeatable: boolean,
  ): Promise<Answer> {
    return this.#requester.send({ method: 'POST', path, body, repeatable }, call);
  }
}
