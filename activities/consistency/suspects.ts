import { setTimeout as pause } from 'node:timers/promises';
import { reportProgress } from '../heartbeat.ts';

/** Suspects per second look. */
const MAX_WAITING = 5_000;
const AT_ONCE = 500;
/** After this multiple of the settling time, suspects are checked without waiting for more: limits what a kill costs. */
const PATIENCE = 5;

/** Differences of the first look that wait for the second. */
export class Suspects<Item> {
  private waiting: Item[] = [];
  private firstAt = 0;
  private lastAt = 0;
  private readonly settleMs: number;
  private readonly signal: AbortSignal;
  private readonly look: (items: readonly Item[]) => Promise<void>;

  constructor(settleMs: number, signal: AbortSignal, look: (items: readonly Item[]) => Promise<void>) {
    this.settleMs = settleMs;
    this.signal = signal;
    this.look = look;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Adds suspects; checks them if they are many or old. */
  async add(items: readonly Item[]): Promise<void> {
    if (items.length > 0) {
      this.lastAt = performance.now();
      if (this.waiting.length === 0) this.firstAt = this.lastAt;
      this.waiting.push(...items);
    }
    const isOld = this.waiting.length > 0 && performance.now() - this.firstAt > PATIENCE * this.settleMs;
    if (isOld || this.waiting.length >= MAX_WAITING) await this.settle();
  }

  /** Checks all suspects, `settleMs` after the last was added. */
  async settle(): Promise<void> {
    if (this.waiting.length === 0) return;
    const wait = this.settleMs - (performance.now() - this.lastAt);
    if (wait > 0) await pause(wait, undefined, { signal: this.signal });
    const items = this.waiting;
    this.waiting = [];
    for (let from = 0; from < items.length; from += AT_ONCE) {
      reportProgress(this.signal);
      await this.look(items.slice(from, from + AT_ONCE));
    }
  }
}
