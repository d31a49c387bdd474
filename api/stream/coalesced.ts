import { setTimeout as wait } from 'node:timers/promises';

/** Runs work once at a time; requests that come meanwhile are one further run, after a pause. */
export class Coalesced {
  private readonly work: () => Promise<void>;
  private readonly pauseMs: () => number;
  private isDue = false;
  private isRunning = false;

  /** `work` never rejects. */
  constructor(pauseMs: () => number, work: () => Promise<void>) {
    this.pauseMs = pauseMs;
    this.work = work;
  }

  request(): void {
    this.isDue = true;
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.isDue) {
      this.isDue = false;
      await this.work();
      await wait(this.pauseMs());
    }
    this.isRunning = false;
  }
}
