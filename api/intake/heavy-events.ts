import { Worker } from 'node:worker_threads';
import type { Draft, MappingContext } from '../../domain/claude-mem/drafts.ts';
import type { ClaudeMemTable } from '../../domain/claude-mem/rows.ts';
import type { ContextQuestion } from '../../domain/capture/context-question.ts';
import type { CaptureSource, EventOwner, HostEvent } from '../../domain/capture/event.ts';
import type { TranscriptItem } from '../../domain/transcripts/items.ts';
import type { ReadLine } from '../../domain/transcripts/line.ts';
import type { PreparedItem } from '../../domain/transcripts/plan.ts';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import { ApiError } from '../errors.ts';
import type { ErrorCode, ErrorDetail } from '../errors.ts';
import type { BuildOptions, BuiltEvent, Incoming } from './intake.ts';
import type { HookDelivery } from './read-hook.ts';

/** Runs work of many users one task at a time: round-robin between users, in order within one. */
class TurnQueue {
  private readonly waiting = new Map<string, (() => void)[]>();
  private busy = false;

  /** Runs work in the user's turn. The turn ends with the work, or earlier if the work calls `endTurn`. */
  async run<Result>(userId: string, work: (endTurn: () => void) => Promise<Result>): Promise<Result> {
    await this.turn(userId);
    let ended = false;
    const endTurn = () => {
      if (ended) return;
      ended = true;
      this.next();
    };
    try {
      return await work(endTurn);
    } finally {
      endTurn();
    }
  }

  private turn(userId: string): Promise<void> {
    if (!this.busy) {
      this.busy = true;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const own = this.waiting.get(userId);
    if (own === undefined) this.waiting.set(userId, [resolve]);
    else own.push(resolve);
    return promise;
  }

  private next(): void {
    const [first] = this.waiting;
    if (first === undefined) {
      this.busy = false;
      return;
    }
    const [userId, own] = first;
    const [next, ...rest] = own;
    // To the end of the users, with what is left.
    this.waiting.delete(userId);
    if (rest.length > 0) this.waiting.set(userId, rest);
    next?.();
  }
}

export type ThreadRequest =
  | { readonly kind: 'hook'; readonly bytes: ArrayBuffer; readonly delivery: HookDelivery }
  /** Builds the event, or the hook that was read last where it is null. */
  | { readonly kind: 'build'; readonly event: HostEvent | null; readonly options: BuildOptions }
  | { readonly kind: 'forget' }
  /** Redacts a text that a person gives. */
  | { readonly kind: 'text'; readonly text: string }
  /** Reads one line of a transcript. */
  | { readonly kind: 'line'; readonly bytes: ArrayBuffer }
  | {
      readonly kind: 'item';
      readonly item: TranscriptItem;
      readonly owner: EventOwner;
      readonly source: CaptureSource;
    }
  /** Reads and maps rows of a claude-mem database, NDJSON. */
  | {
      readonly kind: 'rows';
      readonly bytes: ArrayBuffer;
      readonly table: ClaudeMemTable;
      readonly context: MappingContext;
    };

/** A hook without its content, which stays in the thread. */
export interface HookOutline {
  readonly sessionId: string;
  readonly event: HostEvent | null;
  readonly question: ContextQuestion | null;
}

/** Responses of the thread by kind of request. */
export interface ThreadValues {
  readonly hook: HookOutline;
  readonly build: BuiltEvent;
  readonly forget: null;
  readonly text: string;
  readonly line: ReadLine;
  readonly item: PreparedItem | null;
  readonly rows: readonly Draft[];
}

type Kind = keyof ThreadValues;

export type ThreadAnswer =
  | { readonly value: ThreadValues[Kind] }
  | {
      readonly refused: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: readonly ErrorDetail[];
      };
    };

export interface ThreadBounds {
  /** The largest hook, parsed and rendered, and the garbage of both. A text that needs more ends the thread, and nothing else. */
  readonly heapMib: number;
  /** One event takes no longer, also on a machine that is busy: 32 MiB of the worst text take half as long on one that is not. */
  readonly eventMs: number;
}

const BOUNDS: ThreadBounds = { heapMib: 512, eventMs: 60_000 };
const YOUNG_MIB = 32;

function tooHeavy(): ApiError {
  return new ApiError('EVENT_TOO_LARGE', 'the event needs too much memory or time to read');
}

/** The value of an answer to a request of this kind: the thread answers one request at a time, each with the value of its kind. */
function valueOf<K extends Kind>(_kind: K, value: ThreadValues[Kind]): ThreadValues[K] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the guarantee is the thread's
  return value as ThreadValues[K];
}

/** Bytes that can be moved to the thread: a buffer of its own as it is, of a larger one a copy. */
function movable(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? buffer
    : Uint8Array.from(bytes).buffer;
}

/** Reads and builds large events and texts in a thread, one after the other, users by turns: however long one takes, the event loop is free. */
export class HeavyEvents {
  private readonly turns = new TurnQueue();
  private readonly bounds: ThreadBounds;
  private thread: Worker | null = null;

  constructor(bounds = BOUNDS) {
    this.bounds = bounds;
  }

  /** Builds one event in the thread. @throws ApiError EVENT_TOO_LARGE where it takes too much memory or time */
  build(event: HostEvent, options: BuildOptions): Promise<BuiltEvent> {
    return this.turns.run(options.owner.userId, () => this.buildNow(event, options));
  }

  /**
   * Reads a hook's body, which is transferred by this call, and passes its outline to `use`; the thread builds the event when `use`
   * captures it. @throws ApiError for a rejected body, EVENT_TOO_LARGE if it needs too much memory or time
   */
  withHook<Result>(
    userId: string,
    bytes: Buffer,
    delivery: HookDelivery,
    use: (hook: Omit<HookOutline, 'event'> & { readonly event: Incoming | null }) => Promise<Result>,
  ): Promise<Result> {
    return this.turns.run(userId, async (endTurn) => {
      const own = movable(bytes);
      const outline = await this.request('hook', { kind: 'hook', bytes: own, delivery }, [own]);
      let isOver = false;
      // Once: after the turn the thread may hold what another turn has read.
      const leave = async () => {
        if (isOver) return;
        isOver = true;
        await this.request('forget', { kind: 'forget' }).catch(() => undefined);
        endTurn();
      };
      const buildElsewhere = async (options: BuildOptions) => {
        if (isOver) throw new Error('a hook that was left is built');
        const built = await this.buildNow(null, options);
        // The next event may be read while this one is stored. One that has full values may be built a second time, without them.
        if (built.fullValues.length === 0) await leave();
        return built;
      };
      try {
        return await use({ ...outline, event: outline.event === null ? null : { ...outline.event, buildElsewhere } });
      } finally {
        await leave();
      }
    });
  }

  /** Redacts a text that a person gives. @throws ApiError EVENT_TOO_LARGE where it takes too much memory or time */
  redactText(userId: string, text: string): Promise<string> {
    return this.turns.run(userId, () => this.request('text', { kind: 'text', text }));
  }

  /** Reads one line of a transcript. @throws ApiError EVENT_TOO_LARGE where it takes too much memory or time */
  readLine(userId: string, bytes: Uint8Array): Promise<ReadLine> {
    // The body contains other lines, too.
    const own = Uint8Array.from(bytes).buffer;
    return this.turns.run(userId, () => this.request('line', { kind: 'line', bytes: own }, [own]));
  }

  /** Prepares one item of a transcript. @throws ApiError EVENT_TOO_LARGE where it takes too much memory or time */
  prepareItem(item: TranscriptItem, owner: EventOwner, source: CaptureSource): Promise<PreparedItem | null> {
    return this.turns.run(owner.userId, () => this.request('item', { kind: 'item', item, owner, source }));
  }

  /**
   * Reads and maps rows of claude-mem; the bytes are transferred by this call.
   * @throws ApiError for rejected rows, EVENT_TOO_LARGE if they need too much memory or time
   */
  mapRows(bytes: Buffer, table: ClaudeMemTable, context: MappingContext): Promise<readonly Draft[]> {
    const own = movable(bytes);
    return this.turns.run(context.owner.userId, () =>
      this.request('rows', { kind: 'rows', bytes: own, table, context }, [own]),
    );
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.thread?.terminate();
  }

  private buildNow(event: HostEvent | null, options: BuildOptions): Promise<BuiltEvent> {
    return this.request('build', { kind: 'build', event, options });
  }

  private async request<K extends Kind>(
    kind: K,
    request: Extract<ThreadRequest, { kind: K }>,
    given: readonly ArrayBuffer[] = [],
  ): Promise<ThreadValues[K]> {
    const thread = (this.thread ??= this.start());
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>();
    const onEnd = () => reject(tooHeavy());
    const timer = setTimeout(() => void thread.terminate(), this.bounds.eventMs);
    thread.once('message', resolve).once('exit', onEnd);
    thread.postMessage(request, [...given]);
    try {
      const answer = await promise;
      if ('value' in answer) return valueOf(kind, answer.value);
      throw new ApiError(answer.refused.code, answer.refused.message, answer.refused.details);
    } finally {
      clearTimeout(timer);
      thread.off('message', resolve).off('exit', onEnd);
    }
  }

  private start(): Worker {
    const thread = new Worker(new URL(`./event-thread${MODULE_EXTENSION}`, import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: this.bounds.heapMib, maxYoungGenerationSizeMb: YOUNG_MIB },
    });
    const onEnd = () => {
      if (this.thread === thread) this.thread = null;
    };
    // A heap that is full is an error and an end; the request that filled it is answered by the end.
    thread.on('error', onEnd).on('exit', onEnd);
    thread.unref();
    return thread;
  }
}
