import { buildCaptureEvent, isBoundary } from '../../domain/capture/build-event.ts';
import type { Capturer, HostEvent } from '../../domain/capture/event.ts';
import { wholeValueKey } from '../../domain/ports/object-store.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { WholeValue } from '../../domain/redaction/redact.ts';
import { encodeEvent } from '../../stores/postgres/capture-encoding.ts';
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
    const wholes: WholeValue[] | undefined = this.objects === null ? undefined : [];
    const encoded = events.map((event) => {
      const built = buildCaptureEvent(event, capturer, receivedAt, { wholes });
      urgent.push(isBoundary(built));
      return encodeEvent(built);
    });
    await this.keepWhole(capturer, wholes ?? []);
    const results = await this.commit.submit(encoded);
    results.forEach((result, index) => {
      this.metrics.captured.inc({ outcome: result.status });
      if (result.status !== 'accepted') return;
      this.hints.hint(capturer.tenantId, result.sessionId, result.seq === 1 || urgent[index] === true);
    });
    return results;
  }

  /** Before the commit: the note in a row must not point to nothing. */
  private async keepWhole(capturer: Capturer, wholes: readonly WholeValue[]): Promise<void> {
    for (const { sha256, text } of wholes)
      await this.objects?.put(wholeValueKey(capturer.tenantId, sha256), Buffer.from(text, 'utf8'));
  }
}
