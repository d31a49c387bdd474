import { condition } from '@temporalio/workflow';
import { MAX_PROVIDER_WAIT_MS } from '../failures.ts';
import { database } from './run.ts';
import type { SessionRun } from './run.ts';

/** Summarises windows while the session consumes events. */
export class WindowSummariser {
  running: Promise<void> | null = null;
  failure: Error | null = null;
  private readonly run: SessionRun;

  constructor(run: SessionRun) {
    this.run = run;
  }

  start(): void {
    this.running = this.summarise()
      .catch((error: unknown) => {
        this.failure = error instanceof Error ? error : new Error('summarising windows failed');
      })
      .finally(() => {
        this.running = null;
      });
  }

  private async summarise(): Promise<void> {
    const { run } = this;
    if (run.state.phase === 'active') run.markInTemporal('summarising');
    while (!run.state.isContinuing && run.state.consumption !== null && run.hasWindows) {
      if (run.waitsForBatch) {
        // The workflow requeues parked windows while this loop does not run.
        if (run.state.retryRequested) return;
        await this.waitForBatch();
        continue;
      }
      const outcome = await run.withProvider(
        () => this.summariseOnce(),
        () => run.state.isContinuing,
      );
      if (outcome === 'interrupted') return;
      // The activity parks a window that fails permanently; any other failure is retried much later.
      if (outcome === 'given up') {
        await condition(() => run.state.isContinuing || run.state.retryRequested, MAX_PROVIDER_WAIT_MS);
        run.apply({ type: 'retryStarted' });
      }
    }
    if (run.state.phase === 'summarising' && !run.state.isContinuing) run.markInTemporal('active');
  }

  /** Offers windows to a batch; waits until a batch signals, a request or window comes, or a signal may have been lost. */
  private async waitForBatch(): Promise<void> {
    const { run } = this;
    run.apply({ type: 'offerStarted' });
    const consumedBefore = run.state.carried.consumed;
    const result = await database.offerWindows({ ...run.ref, phase: run.state.phase });
    run.apply({ type: 'windowsOffered', result, consumedBefore });
    if (!run.hasWindows) return;
    run.apply({ type: 'waitStarted', reason: 'BatchPending', untilMs: Date.now() + MAX_PROVIDER_WAIT_MS });
    run.markInTemporal(run.state.phase);
    const pending = run.state.consumption?.windowsPending ?? 0;
    await condition(() => {
      const { batchServed, isContinuing, retryRequested, asked, consumption } = run.state;
      const isMore = (consumption?.windowsPending ?? 0) > pending;
      return batchServed || isContinuing || retryRequested || asked === 'summary' || isMore;
    }, MAX_PROVIDER_WAIT_MS);
    run.apply({ type: 'waitEnded' });
  }

  private async summariseOnce(): Promise<void> {
    const { run } = this;
    const consumedBefore = run.state.carried.consumed;
    const result = await run.model.summariseWindows({ ...run.ref, phase: run.state.phase });
    run.apply({ type: 'modelUsed', cost: result });
    run.apply({ type: 'windowsSummarised', result, consumedBefore });
  }
}
