import { condition } from '@temporalio/workflow';
import { MAX_PROVIDER_WAIT_MS } from '../provider-wait.ts';
import { database } from './policy.ts';
import type { SessionRun } from './run.ts';

/** The model's work on windows, which goes on beside the taking in of captures. */
export class WindowSummariser {
  running: Promise<void> | null = null;
  broken: Error | null = null;
  private readonly run: SessionRun;

  constructor(run: SessionRun) {
    this.run = run;
  }

  start(): void {
    this.running = this.summarise()
      .catch((error: unknown) => {
        this.broken = error instanceof Error ? error : new Error('the model lane broke');
      })
      .finally(() => {
        this.running = null;
      });
  }

  /** Summarises what is cut, while the session goes on being captured. */
  private async summarise(): Promise<void> {
    const { run } = this;
    if (run.phase === 'active') await run.enter('summarising');
    while (!run.leaving && run.taken !== null && run.hasWindows) {
      if (run.waitsForBatch) {
        // Parked windows are given another turn by whoever runs the lane.
        if (run.retrying) return;
        await this.waitForBatch();
        continue;
      }
      const outcome = await run.withProvider(
        () => this.summariseOnce(),
        () => run.leaving,
      );
      if (outcome === 'interrupted') return;
      // A window that nothing can be done for is parked by its activity; what fails beyond that is looked at again much later.
      if (outcome === 'given up') {
        await condition(() => run.leaving || run.retrying, MAX_PROVIDER_WAIT_MS);
        run.retrying = false;
      }
    }
    if (run.fewTasks) {
      if (run.phase === 'summarising' && !run.leaving) run.mark('active');
      return;
    }
    if (run.phase === 'summarising' && !run.leaving) await run.show('active');
    await database.hintIndex(run.ref);
  }

  /** Has the windows gathered into a batch, and waits until one tells, somebody asks, or it is time to look whether telling was lost. */
  private async waitForBatch(): Promise<void> {
    const { run } = this;
    run.batchServed = false;
    const looks = run.state.consumed;
    const offered = await database.offerWindows({ ...run.ref, phase: run.phase });
    run.windowsBatched = offered.windowsBatched;
    run.isDirect = offered.direct === true;
    run.state.windowsParked = offered.windowsParked;
    if (run.taken !== null) {
      // A look that was taken meanwhile may have cut a window that this call did not count.
      const windowsPending =
        run.state.consumed === looks
          ? offered.windowsPending
          : Math.max(run.taken.windowsPending, offered.windowsPending);
      run.taken = { ...run.taken, windowsPending, windowsParked: offered.windowsParked };
    }
    if (!run.hasWindows) return;
    run.waiting = { reason: 'BatchPending', untilMs: Date.now() + MAX_PROVIDER_WAIT_MS };
    run.mark(run.phase);
    const cut = run.taken?.windowsPending ?? 0;
    await condition(
      () =>
        run.batchServed ||
        run.leaving ||
        run.retrying ||
        run.asked === 'summary' ||
        (run.taken?.windowsPending ?? 0) > cut,
      MAX_PROVIDER_WAIT_MS,
    );
    run.waiting = null;
  }

  private async summariseOnce(): Promise<void> {
    const { run } = this;
    const looks = run.state.consumed;
    const result = run.fewTasks
      ? await run.model.summariseWindows({ ...run.ref, phase: run.phase })
      : { ...(await run.model.summariseNextWindow(run.ref)), summarised: 1 };
    run.spend(result);
    run.state.windowsSummarised += result.summarised;
    run.state.windowsParked = result.windowsParked;
    if (run.taken === null) return;
    // A look that was taken meanwhile may have cut a window that this call did not count: what it saw stands until the next call.
    const windowsPending =
      run.fewTasks && run.state.consumed !== looks ? run.taken.windowsPending : result.windowsPending;
    run.taken = { ...run.taken, windowsPending, windowsParked: result.windowsParked };
  }
}
