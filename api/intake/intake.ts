import type { EventOwner } from '../../domain/capture/event.ts';
import { FullValues } from '../../domain/capture/full-values.ts';
import type { RetainedKeys } from '../../domain/capture/full-values.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { CaptureMetrics } from '../../telemetry/metrics.ts';
import { Breather } from './breather.ts';
import { buildIncoming, isHeavy } from './build-incoming.ts';
import type { BuildOptions, BuiltEvent, Incoming } from './build-incoming.ts';
import { GroupCommit } from './group-commit.ts';
import type { CommitResult, StoreEvents } from './group-commit.ts';
import type { HeavyEvents } from './heavy-events.ts';
import type { HintSender } from './hint-sender.ts';

/** Capture: redacts and stores events. Resolves after the commit; sends a hint to the workflow afterwards. */
export class Intake {
  private readonly commit: GroupCommit;
  private readonly hints: HintSender;
  private readonly metrics: CaptureMetrics;
  private readonly objects: ObjectStore | null;
  private readonly heavy: HeavyEvents;

  /** `objects`: where full values of what is cut are stored; null where they are not. */
  constructor(
    store: StoreEvents,
    hints: HintSender,
    metrics: CaptureMetrics,
    heavy: HeavyEvents,
    objects: ObjectStore | null = null,
  ) {
    this.objects = objects;
    this.heavy = heavy;
    this.commit = new GroupCommit(store);
    this.hints = hints;
    this.metrics = metrics;
  }

  /** One result an event, in order. Rejects with `BUSY`, or with the store's error when none of them could be stored. */
  async capture(events: readonly Incoming[], owner: EventOwner): Promise<CommitResult[]> {
    if (events.length === 0) return [];
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
    const results = await this.commit.submit(built.map(({ encoded }) => encoded));
    await fullValues.settle(built, results);
    results.forEach((result, index) => {
      this.metrics.captured.inc({ outcome: result.status });
      if (result.status !== 'accepted') return;
      this.hints.hint(owner.tenantId, result.sessionId, result.seq === 1 || built[index]?.urgent === true);
    });
    return results;
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
