import type { CaptureOutcome } from '../../domain/capture/event.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { TraceMark } from '../../domain/trace-mark.ts';
import type { EncodedEvent } from '../../stores/postgres/capture/capture.ts';
import { isolateFaulty } from '../../stores/postgres/capture/isolate-faulty.ts';
import type { CommitResult } from '../../stores/postgres/capture/isolate-faulty.ts';
import { ApiError } from '../errors.ts';

/** Stores events, all or none of a call; answers one outcome an event. */
export type StoreEvents = (events: readonly EncodedEvent[]) => Promise<CaptureOutcome[]>;

interface Submission {
  readonly events: readonly EncodedEvent[];
  readonly chars: number;
  readonly resolve: (results: CommitResult[]) => void;
  readonly reject: (error: unknown) => void;
  /** The caller's span; null unless it is traced. */
  readonly mark: TraceMark | null;
}

/** Events of one flush: what a transaction writes in a few tens of milliseconds. */
const MAX_FLUSH_EVENTS = 500;
/** Maximum of waiting events: above it callers receive BUSY, to bound memory. */
const MAX_WAITING_EVENTS = 20_000;

/** Text of one flush: a statement of this size is built and read without a pause that others would feel. */
const MAX_FLUSH_CHARS = 16_000_000;
/** Text that may wait. */
const MAX_WAITING_CHARS = 128_000_000;

/**
 * Gathers events that arrive together into one transaction: while one flush is on its way, the next one fills up. One at a time, because
 * two at once would wait for each other's session rows. Every caller is answered after its events are committed, or with why not.
 */
export class GroupCommit {
  private readonly store: StoreEvents;
  private readonly tracer: Tracer;
  private waiting: Submission[] = [];
  private waitingEvents = 0;
  private waitingChars = 0;
  private flushing = false;

  constructor(store: StoreEvents, tracer: Tracer = NO_TRACER) {
    this.store = store;
    this.tracer = tracer;
  }

  /**
   * Results in the order given. Rejects with `BUSY` when too much waits, and with the store's error when none of the events could be
   * stored; where a part of them was, the others are `failed`, so that the caller sends nothing again that is stored.
   */
  submit(events: readonly EncodedEvent[]): Promise<CommitResult[]> {
    const chars = events.reduce((sum, event) => sum + event.chars, 0);
    const full =
      this.waitingEvents + events.length > MAX_WAITING_EVENTS ||
      (this.waitingChars > 0 && this.waitingChars + chars > MAX_WAITING_CHARS);
    if (full) return Promise.reject(new ApiError('BUSY', 'too many events are waiting to be stored; try again'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ events, chars, resolve, reject, mark: this.tracer.active() });
      this.waitingEvents += events.length;
      this.waitingChars += chars;
      if (!this.flushing) void this.flushAll();
    });
  }

  private async flushAll(): Promise<void> {
    this.flushing = true;
    while (this.waiting.length > 0) await this.flush(this.takeNext());
    this.flushing = false;
  }

  private takeNext(): Submission[] {
    let events = 0;
    let chars = 0;
    let count = 0;
    for (const submission of this.waiting) {
      const tooMany =
        events + submission.events.length > MAX_FLUSH_EVENTS || chars + submission.chars > MAX_FLUSH_CHARS;
      if (count > 0 && tooMany) break;
      events += submission.events.length;
      chars += submission.chars;
      count += 1;
    }
    this.waitingEvents -= events;
    this.waitingChars -= chars;
    return this.waiting.splice(0, count);
  }

  private async flush(submissions: readonly Submission[]): Promise<void> {
    const events = submissions.flatMap((submission) => submission.events);
    const marks = submissions.flatMap(({ mark }) => mark ?? []).toReversed();
    const results =
      marks.length === 0
        ? await isolateFaulty(events, this.store)
        : await this.tracer.unit(
            'capture.flush',
            () => ({ marks, total: marks.length }),
            () => isolateFaulty(events, this.store),
            { 'recollect.events': events.length, 'recollect.requests': submissions.length },
          );
    let start = 0;
    for (const submission of submissions) {
      const own = results.slice(start, start + submission.events.length);
      start += submission.events.length;
      const [first] = own;
      if (first?.status === 'failed' && own.every((result) => result.status === 'failed'))
        submission.reject(first.error);
      else submission.resolve(own);
    }
  }
}
