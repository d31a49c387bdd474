import type { SessionId, TenantId } from '../../domain/ids.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { MOST_MARKS } from '../../domain/trace-mark.ts';
import type { TraceMark } from '../../domain/trace-mark.ts';
import type { BurstDetector } from './burst-detector.ts';

interface PendingHint {
  readonly tenantId: TenantId;
  timer: NodeJS.Timeout | null;
  /** Since when it waits. */
  sinceMs: number;
  sending: boolean;
  /** Only old events were captured. */
  isBackfill: boolean;
  /** Hint due after the one in flight: none, one that may be gathered, or one at once. */
  again: 'no' | 'later' | 'at-once';
  /** Spans of the traced captures that it is for, the newest first, and their number. */
  marks: readonly TraceMark[];
  total: number;
}

/** What a captured event means for the hint of its session. */
export interface HintedEvent {
  /** No later event is waited for. */
  readonly atOnce: boolean;
  /** It is old: imported, or sent late. */
  readonly isBackfill: boolean;
}

export interface HintSenderOptions {
  readonly hints: WorkflowHints;
  /** Time to gather hints of one session, in ms, unless an event needs one at once. */
  readonly delayMs: number;
  /** Every event is counted in it. */
  readonly burst: BurstDetector;
  readonly onFailure: (error: unknown) => void;
  readonly onSent: () => void;
  readonly tracer?: Tracer;
}

/** A hint at once waits for this share of the delay: long enough to detect the start of a burst. */
const AT_ONCE_SHARE = 0.05;
/** In a burst every hint waits for its end, which is checked at this share of the delay … */
const BURST_CHECK_SHARE = 0.5;
/** … but no longer than so many times the delay. */
const LONGEST_HOLD = 15;

/** With more sessions waiting than this, hints are gathered longer, in proportion, so that workflows consume larger steps … */
const SESSIONS_WITHOUT_WAIT = 8;
/** … up to so many times the delay. */
const MOST_STRETCH = 8;

/** Concurrent hints: one Temporal client sends a few hundred per second, and no caller waits for them. */
const MAX_AT_ONCE = 16;

/**
 * Sends hints of captures to session workflows: at most one hint of a session is in flight, later ones are merged into the next. In a burst,
 * captures have priority over processing: hints wait for its end, within bounds. A failed send loses nothing: the capture sweep resends hints.
 */
export class HintSender {
  private readonly options: HintSenderOptions;
  private readonly tracer: Tracer;
  private readonly pending = new Map<SessionId, PendingHint>();
  /** Sessions in progress are hinted before those of an import. */
  private readonly queues: Readonly<Record<'live' | 'backfill', SessionId[]>> = { live: [], backfill: [] };
  private inFlight = 0;
  private stopped = false;

  constructor(options: HintSenderOptions) {
    this.options = options;
    this.tracer = options.tracer ?? NO_TRACER;
  }

  /** Requests a hint for a captured event. */
  hint(tenantId: TenantId, sessionId: SessionId, { atOnce, isBackfill }: HintedEvent): void {
    if (this.stopped) return;
    this.options.burst.count();
    const entry = this.pending.get(sessionId) ?? {
      tenantId,
      timer: null,
      sinceMs: 0,
      sending: false,
      isBackfill: true,
      again: 'no',
      marks: [],
      total: 0,
    };
    this.pending.set(sessionId, entry);
    const mark = this.tracer.active();
    if (mark !== null) {
      entry.marks = [mark, ...entry.marks].slice(0, MOST_MARKS);
      entry.total += 1;
    }
    entry.isBackfill &&= isBackfill;
    if (entry.sending) {
      if (entry.again !== 'at-once') entry.again = atOnce ? 'at-once' : 'later';
    } else if (entry.timer === null) {
      entry.sinceMs = performance.now();
      this.gather(sessionId, entry, atOnce ? this.atOnceMs : this.gatherMs);
    } else if (atOnce && !this.options.burst.isBurst) {
      clearTimeout(entry.timer);
      this.gather(sessionId, entry, this.atOnceMs);
    }
  }

  /** Sends the hint after `delayMs`; in a burst not before its end. */
  private gather(sessionId: SessionId, entry: PendingHint, delayMs: number): void {
    entry.timer = setTimeout(() => {
      const heldMs = performance.now() - entry.sinceMs;
      if (this.options.burst.isBurst && heldMs < this.options.delayMs * LONGEST_HOLD)
        this.gather(sessionId, entry, this.options.delayMs * BURST_CHECK_SHARE);
      else this.enqueue(sessionId, entry);
    }, delayMs);
  }

  private get atOnceMs(): number {
    return this.options.delayMs * AT_ONCE_SHARE;
  }

  /** Time to gather a new hint, in ms. */
  private get gatherMs(): number {
    const stretch = Math.min(Math.max(this.pending.size / SESSIONS_WITHOUT_WAIT, 1), MOST_STRETCH);
    return this.options.delayMs * stretch;
  }

  /** Hints that wait or are on their way. */
  get size(): number {
    return this.pending.size;
  }

  /** Sends what waits and resolves when nothing is in flight any more, or after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.stopped = true;
    for (const [sessionId, entry] of this.pending) {
      if (entry.timer === null) continue;
      clearTimeout(entry.timer);
      this.enqueue(sessionId, entry);
    }
    const deadline = performance.now() + graceMs;
    while (this.pending.size > 0 && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  private enqueue(sessionId: SessionId, entry: PendingHint): void {
    entry.timer = null;
    entry.sending = true;
    this.queues[entry.isBackfill ? 'backfill' : 'live'].push(sessionId);
    this.drain();
  }

  private drain(): void {
    while (this.inFlight < MAX_AT_ONCE) {
      const sessionId = this.queues.live.shift() ?? this.queues.backfill.shift();
      if (sessionId === undefined) return;
      const entry = this.pending.get(sessionId);
      if (entry !== undefined) void this.send(sessionId, entry);
    }
  }

  private async send(sessionId: SessionId, entry: PendingHint): Promise<void> {
    this.inFlight += 1;
    try {
      const { tenantId, isBackfill, marks, total } = entry;
      entry.marks = [];
      entry.total = 0;
      await this.tracer.unit(
        'hint',
        () => ({ marks, total }),
        () => this.options.hints.session(tenantId, sessionId, { isBackfill }),
        { 'recollect.session_id': sessionId },
      );
      this.options.onSent();
    } catch (error) {
      this.options.onFailure(error);
    }
    this.inFlight -= 1;
    entry.sending = false;
    const again = entry.again;
    entry.again = 'no';
    if (again !== 'no' && this.stopped) {
      this.enqueue(sessionId, entry);
    } else if (again !== 'no') {
      entry.sinceMs = performance.now();
      this.gather(sessionId, entry, again === 'at-once' ? this.atOnceMs : this.gatherMs);
    } else {
      this.pending.delete(sessionId);
    }
    this.drain();
  }
}
