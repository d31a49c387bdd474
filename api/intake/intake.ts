import { buildCaptureEvent, isBoundary } from '../../domain/capture/build-event.ts';
import type { EventOwner, HostEvent } from '../../domain/capture/event.ts';
import { FullValues } from '../../domain/capture/full-values.ts';
import type { FullValueBytes, RetainedKeys } from '../../domain/capture/full-values.ts';
import { asId } from '../../domain/ids.ts';
import type { SessionId } from '../../domain/ids.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import { markText } from '../../domain/trace-mark.ts';
import type { FullValue } from '../../domain/redaction/redact.ts';
import { encodeEvent } from '../../stores/postgres/capture/capture.ts';
import type { EncodedEvent } from '../../stores/postgres/capture/capture.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { CaptureMetrics } from '../../telemetry/api-metrics.ts';
import { Breather } from './breather.ts';
import type { Exclusions } from './exclusions.ts';
import { GroupCommit } from './group-commit.ts';
import type { StoreEvents } from './group-commit.ts';
import type { CommitResult } from '../../stores/postgres/capture/isolate-faulty.ts';
import type { HeavyEvents } from './heavy-events.ts';
import type { HintSender } from './hint-sender.ts';

/** An event as it goes to the store. */
export interface BuiltEvent {
  readonly encoded: EncodedEvent;
  /** It ends something: the session's workflow is signalled at once. */
  readonly urgent: boolean;
  /** It is older than what an agent sends while it works. */
  readonly isBackfill: boolean;
  /** Full values of what was cut, redacted. */
  readonly fullValues: readonly FullValueBytes[];
}

export interface BuildOptions {
  readonly owner: EventOwner;
  readonly receivedAt: Date;
  /** Full values of what is cut are wanted. */
  readonly storeFullValue: boolean;
}

/** Age of an event that an agent may still be waiting to send: spools are drained within minutes. */
const LIVE_MS = 10 * 60_000;

/** Builds an event where it is called: a text may take a millisecond a kilobyte. */
export function buildIncoming(event: HostEvent, { owner, receivedAt, storeFullValue }: BuildOptions): BuiltEvent {
  const fullValues: FullValue[] = [];
  const built = buildCaptureEvent(event, owner, receivedAt, storeFullValue ? { fullValues } : {});
  return {
    encoded: encodeEvent(built),
    urgent: isBoundary(built),
    isBackfill: event.occurredAt !== null && receivedAt.getTime() - Date.parse(event.occurredAt) > LIVE_MS,
    fullValues: fullValues.map(({ sha256, text }) => ({ sha256, bytes: Buffer.from(text, 'utf8') })),
  };
}

/** An event that was read elsewhere: its outline here, and how the rest of it is built there. */
export type Incoming = HostEvent & { readonly buildElsewhere?: (options: BuildOptions) => Promise<BuiltEvent> };

/** Characters from which an event is built in the thread: the worst text of this size takes some 30 ms. */
export const HEAVY_CHARS = 32 * 1024;

/** True for an event of more than `HEAVY_CHARS` characters, names and numbers included. */
function isHeavy(event: HostEvent): boolean {
  const left: unknown[] = [event.parts, event.metadata];
  let chars = 0;
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value === 'string') chars += value.length;
    else if (value !== null && typeof value === 'object') {
      for (const [name, entry] of Object.entries(value)) {
        chars += name.length + 8;
        if (entry !== undefined) left.push(entry);
        if (chars > HEAVY_CHARS) return true;
      }
    }
    if (chars > HEAVY_CHARS) return true;
  }
  return false;
}

/** Capture, as routes use it. */
export type Capture = Pick<Intake, 'capture'>;

/** An event that was not given to the store has no session. */
const NO_SESSION = asId<SessionId>('00000000-0000-0000-0000-000000000000');
const EXCLUDED: CommitResult = {
  status: 'rejected',
  rowId: null,
  seq: null,
  sessionId: NO_SESSION,
  reason: 'excluded',
};

/** Capture: redacts and stores events. Resolves after the commit; sends a hint to the workflow afterwards. */
export class Intake {
  private readonly commit: GroupCommit;
  private readonly hints: HintSender;
  private readonly metrics: CaptureMetrics;
  private readonly objects: ObjectStore | null;
  private readonly heavy: HeavyEvents;
  private readonly exclusions: Exclusions;
  private readonly tracer: Tracer;

  /** `objects`: where full values of what is cut are stored; null where they are not. */
  constructor(
    store: StoreEvents,
    hints: HintSender,
    metrics: CaptureMetrics,
    heavy: HeavyEvents,
    exclusions: Exclusions,
    objects: ObjectStore | null,
    tracer: Tracer = NO_TRACER,
  ) {
    this.tracer = tracer;
    this.exclusions = exclusions;
    this.objects = objects;
    this.heavy = heavy;
    this.commit = new GroupCommit(store, tracer);
    this.hints = hints;
    this.metrics = metrics;
  }

  /** One result an event, in order; excluded events are rejected unread. Rejects with `BUSY`, or with the store's error when none could be stored. */
  async capture(events: readonly Incoming[], owner: EventOwner): Promise<CommitResult[]> {
    const looked = this.exclusions.of(owner.tenantId);
    const { excludes, folders } = looked instanceof Promise ? await looked : looked;
    if (excludes === null) return this.store(events, owner);
    const checked = folders.check(owner.userId, events, excludes);
    const excluded = checked instanceof Promise ? await checked : checked;
    const results = await this.store(
      events.filter((_, index) => excluded[index] !== true),
      owner,
    );
    let next = 0;
    return excluded.map((isExcluded) => {
      if (isExcluded) {
        this.metrics.captured.inc({ outcome: 'excluded' });
        return EXCLUDED;
      }
      next += 1;
      return results[next - 1] ?? { status: 'refused' };
    });
  }

  private async store(events: readonly Incoming[], owner: EventOwner): Promise<CommitResult[]> {
    if (events.length === 0) return [];
    const startedMs = performance.now();
    const options = { owner, receivedAt: new Date(), storeFullValue: this.objects !== null };
    const fullValues = new FullValues(this.objects, owner);
    const breather = new Breather();
    const built: (BuiltEvent & RetainedKeys)[] = [];
    // Made text while an earlier flush is on its way: the database never waits for that.
    for (const event of events) {
      const elsewhere = event.buildElsewhere !== undefined || isHeavy(event);
      built.push(
        elsewhere || this.objects !== null
          ? await this.buildAndStore(event, options, fullValues)
          : { ...buildIncoming(event, options), keys: [] },
      );
      await breather.breathe();
    }
    const place = this.tracer.active();
    const encoded = built.map((event) => event.encoded);
    const results = await this.committed(
      place === null ? encoded : encoded.map((event) => ({ ...event, mark: markText(place) })),
    );
    await fullValues.settle(built, results);
    if (events.length === 1) this.metrics.captureDuration.observe((performance.now() - startedMs) / 1_000);
    results.forEach((result, index) => {
      this.metrics.captured.inc({ outcome: result.status });
      if (result.status !== 'accepted') return;
      this.hints.hint(owner.tenantId, result.sessionId, {
        atOnce: result.seq === 1 || built[index]?.urgent === true,
        isBackfill: built[index]?.isBackfill === true,
      });
    });
    return results;
  }

  /** Commits events. Counts those that could not be stored, also if none could: the caller then receives the error. */
  private async committed(encoded: readonly EncodedEvent[]): Promise<CommitResult[]> {
    try {
      return await this.commit.submit(encoded);
    } catch (error) {
      this.metrics.captured.inc({ outcome: 'failed' }, encoded.length);
      throw error;
    }
  }

  /** Builds an event, a large one in the thread, and stores the full values of its truncated values. */
  private async buildAndStore(
    event: Incoming,
    options: BuildOptions,
    fullValues: FullValues,
  ): Promise<BuiltEvent & RetainedKeys> {
    const { buildElsewhere, ...own } = event;
    const build = (how: BuildOptions): Promise<BuiltEvent> | BuiltEvent => {
      if (buildElsewhere !== undefined) return buildElsewhere(how);
      return isHeavy(own) ? this.heavy.build(own, how) : buildIncoming(own, how);
    };
    const built = await build(options);
    const { keys, complete } = await fullValues.keep(built.fullValues);
    // Too large for the store: only the truncated text remains, and its note names no hash.
    return complete ? { ...built, keys } : { ...(await build({ ...options, storeFullValue: false })), keys };
  }
}
