import { buildCaptureEvent, isBoundary } from '../../domain/capture/build-event.ts';
import type { CaptureEvent, Capturer, HostEvent } from '../../domain/capture/event.ts';
import { WholeValues } from '../../domain/capture/whole-values.ts';
import type { KeptEvent } from '../../domain/capture/whole-values.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import { encodeEvent } from '../../stores/postgres/capture-encoding.ts';
import type { EncodedEvent } from '../../stores/postgres/capture-encoding.ts';
import type { CaptureMetrics } from '../../telemetry/metrics.ts';
import { GroupCommit } from './group-commit.ts';
import type { CommitResult, StoreEvents } from './group-commit.ts';
import type { HintSender } from './hint-sender.ts';

/** The way in: redacts, stores, tells the workflow. Resolves after the commit; the workflow is told afterwards. */
export class Intake {
  private readonly commit: GroupCommit;
  private readonly hints: HintSender;
  private readonly metrics: CaptureMetrics;
  private readonly objects: ObjectStore | null;

  /** `objects`: where values that are cut are kept whole; null where they are not. */
  constructor(store: StoreEvents, hints: HintSender, metrics: CaptureMetrics, objects: ObjectStore | null = null) {
    this.objects = objects;
    this.commit = new GroupCommit(store);
    this.hints = hints;
    this.metrics = metrics;
  }

  /** One result an event, in order. Rejects with `BUSY`, or with the store's error when none of them could be stored. */
  async capture(events: readonly HostEvent[], capturer: Capturer): Promise<CommitResult[]> {
    if (events.length === 0) return [];
    const receivedAt = new Date();
    // Made text while an earlier flush is on its way: the database never waits for that.
    const urgent: boolean[] = [];
    const encode = (event: CaptureEvent) => {
      urgent.push(isBoundary(event));
      return encodeEvent(event);
    };
    const { objects } = this;
    const results =
      objects === null
        ? await this.commit.submit(events.map((event) => encode(buildCaptureEvent(event, capturer, receivedAt))))
        : await this.captureWhole(new WholeValues(objects, capturer), events, receivedAt, encode);
    results.forEach((result, index) => {
      this.metrics.captured.inc({ outcome: result.status });
      if (result.status !== 'accepted') return;
      this.hints.hint(capturer.tenantId, result.sessionId, result.seq === 1 || urgent[index] === true);
    });
    return results;
  }

  /** Keeps whole what is cut in the events. */
  private async captureWhole(
    wholes: WholeValues,
    events: readonly HostEvent[],
    receivedAt: Date,
    encode: (event: CaptureEvent) => EncodedEvent,
  ): Promise<CommitResult[]> {
    const kept: KeptEvent[] = [];
    for (const event of events) kept.push(await wholes.build(event, receivedAt));
    const results = await this.commit.submit(kept.map(({ event }) => encode(event)));
    await wholes.settle(kept, results);
    return results;
  }
}
