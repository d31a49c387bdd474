import { Worker } from 'node:worker_threads';
import type { ContextQuestion } from '../../domain/capture/context-question.ts';
import type { HostEvent } from '../../domain/capture/event.ts';
import { ApiError } from '../errors.ts';
import type { ErrorCode, ErrorDetail } from '../errors.ts';
import type { BuildOptions, BuiltEvent, Incoming } from './build-incoming.ts';
import type { HookDelivery } from './read-hook.ts';
import { TurnQueue } from './turn-queue.ts';

export type ThreadRequest =
  | { readonly kind: 'hook'; readonly bytes: ArrayBuffer; readonly delivery: HookDelivery }
  /** Builds the event, or the hook that was read last where it is null. */
  | { readonly kind: 'build'; readonly event: HostEvent | null; readonly options: BuildOptions }
  | { readonly kind: 'forget' };

/** A hook without its content, which stays in the thread. */
export interface HookOutline {
  readonly sessionId: string;
  readonly event: HostEvent | null;
  readonly question: ContextQuestion | null;
}

export type ThreadAnswer =
  | { readonly value: HookOutline | BuiltEvent | null }
  | {
      readonly refused: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: readonly ErrorDetail[];
      };
    };

/** The largest hook, parsed and rendered, and the garbage of both. A text that needs more ends the thread, and nothing else. */
const HEAP = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 } as const;
/** One event takes no longer, also on a machine that is busy: 32 MiB of the worst text take half as long on one that is not. */
const EVENT_MS = 60_000;

function tooHeavy(): ApiError {
  return new ApiError('EVENT_TOO_LARGE', 'the event takes too much memory or time to read');
}

function isOutline(value: HookOutline | BuiltEvent | null): value is HookOutline {
  return value !== null && 'sessionId' in value;
}

function isBuilt(value: HookOutline | BuiltEvent | null): value is BuiltEvent {
  return value !== null && 'encoded' in value;
}

/** Reads and builds large events in a thread, one after the other, users by turns: however long one takes, the event loop is free. */
export class HeavyEvents {
  private readonly turns = new TurnQueue();
  private thread: Worker | null = null;

  /** Builds one event in the thread. @throws ApiError EVENT_TOO_LARGE where it takes too much memory or time */
  build(event: HostEvent, options: BuildOptions): Promise<BuiltEvent> {
    return this.turns.run(options.capturer.userId, () => this.buildNow(event, options));
  }

  /**
   * Reads a hook's body, which is given away with this call, and hands `use` its outline; the event is built in the thread when it is
   * captured within `use`. @throws ApiError for a body that is refused, EVENT_TOO_LARGE where it takes too much memory or time
   */
  withHook<Result>(
    userId: string,
    bytes: Buffer,
    delivery: HookDelivery,
    use: (hook: Omit<HookOutline, 'event'> & { readonly event: Incoming | null }) => Promise<Result>,
  ): Promise<Result> {
    return this.turns.run(userId, async (endTurn) => {
      // A buffer of its own is moved to the thread; of a larger one the body is copied.
      const { buffer } = bytes;
      const own =
        buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
          ? buffer
          : Uint8Array.from(bytes).buffer;
      const outline = await this.ask({ kind: 'hook', bytes: own, delivery }, [own]);
      if (!isOutline(outline)) throw tooHeavy();
      let isOver = false;
      // Once: after the turn the thread may hold what another turn has read.
      const leave = async () => {
        if (isOver) return;
        isOver = true;
        await this.ask({ kind: 'forget' }).catch(() => undefined);
        endTurn();
      };
      const buildElsewhere = async (options: BuildOptions) => {
        if (isOver) throw new Error('a hook that was left is built');
        const built = await this.buildNow(null, options);
        // The next event may be read while this one is stored. One that has full values may be built a second time, without them.
        if (built.wholes.length === 0) await leave();
        return built;
      };
      try {
        return await use({ ...outline, event: outline.event === null ? null : { ...outline.event, buildElsewhere } });
      } finally {
        await leave();
      }
    });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.thread?.terminate();
  }

  private async buildNow(event: HostEvent | null, options: BuildOptions): Promise<BuiltEvent> {
    const built = await this.ask({ kind: 'build', event, options });
    if (!isBuilt(built)) throw tooHeavy();
    return built;
  }

  private async ask(
    request: ThreadRequest,
    given: readonly ArrayBuffer[] = [],
  ): Promise<HookOutline | BuiltEvent | null> {
    const thread = (this.thread ??= this.start());
    const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>();
    const onEnd = () => reject(tooHeavy());
    const timer = setTimeout(() => void thread.terminate(), EVENT_MS);
    thread.once('message', resolve).once('exit', onEnd);
    thread.postMessage(request, [...given]);
    try {
      const answer = await promise;
      if ('value' in answer) return answer.value;
      throw new ApiError(answer.refused.code, answer.refused.message, answer.refused.details);
    } finally {
      clearTimeout(timer);
      thread.off('message', resolve).off('exit', onEnd);
    }
  }

  private start(): Worker {
    const thread = new Worker(new URL('./event-thread.ts', import.meta.url), { resourceLimits: HEAP });
    const gone = () => {
      if (this.thread === thread) this.thread = null;
    };
    // A heap that is full is an error and an end; the request that filled it is answered by the end.
    thread.on('error', gone).on('exit', gone);
    thread.unref();
    return thread;
  }
}
