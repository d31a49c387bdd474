import { setImmediate } from 'node:timers/promises';

/** Work runs for this long before it yields, in ms. */
const TURN_MS = 10;

/** Parts a long loop into turns, so that it does not hold up the event loop. */
export class Breather {
  private since = performance.now();

  /** True where this loop's turn is over. */
  get isOver(): boolean {
    return performance.now() - this.since >= TURN_MS;
  }

  /** Awaits the event loop if this loop's turn is over. */
  async breathe(): Promise<void> {
    if (!this.isOver) return;
    await setImmediate();
    this.since = performance.now();
  }
}
