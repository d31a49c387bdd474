import { buildCaptureEvent, isBoundary } from '../../domain/capture/build-event.ts';
import type { Capturer, HostEvent } from '../../domain/capture/event.ts';
import type { CaptureMetrics } from '../../telemetry/metrics.ts';
import { GroupCommit } from './group-commit.ts';
import type { CommitResult, StoreEvents } from './group-commit.ts';
import type { HintSender } from './hint-sender.ts';

/** The way in: redacts, stores, tells the workflow. Resolves after the commit; the workflow is told afterwards. */
export class Intake {
  private readonly commit: GroupCommit;
  private readonly hints: HintSender;
  private readonly metrics: CaptureMetrics;

  constructor(store: StoreEvents, hints: HintSender, metrics: CaptureMetrics) {
    this.commit = new GroupCommit(store);
    this.hints = hints;
    this.metrics = metrics;
  }

  /** One result an event, in order. */
  async capture(events: readonly HostEvent[], capturer: Capturer): Promise<CommitResult[]> {
    if (events.length === 0) return [];
    const receivedAt = new Date();
    const built = events.map((event) => buildCaptureEvent(event, capturer, receivedAt));
    const results = await this.commit.submit(built);
    results.forEach((result, index) => {
      this.metrics.captured.inc({ outcome: result.status });
      const event = built[index];
      if (result.status !== 'accepted' || event === undefined) return;
      this.hints.hint(capturer.tenantId, result.sessionId, result.seq === 1 || isBoundary(event));
    });
    return results;
  }
}
