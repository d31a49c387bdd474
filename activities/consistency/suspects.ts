import { setTimeout as pause } from 'node:timers/promises';
import { reportProgress } from '../heartbeat.ts';

/** Suspects that are held at once, and looked at in one go. */
const MAX_HELD = 5_000;
const AT_ONCE = 500;
/** Older than so many times the settling time, they are looked at although more could be gathered: what a kill costs stays small. */
const PATIENCE = 5;

/** What differed at the first look, until it is looked at again. */
export class Suspects<Item> {
  private held: Item[] = [];
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
    return this.held.length;
  }

  /** Holds some more; looks again where many are held, or for long. */
  async add(items: readonly Item[]): Promise<void> {
    if (items.length > 0) {
      this.lastAt = performance.now();
      if (this.held.length === 0) this.firstAt = this.lastAt;
      this.held.push(...items);
    }
    const isOld = this.held.length > 0 && performance.now() - this.firstAt > PATIENCE * this.settleMs;
    if (isOld || this.held.length >= MAX_HELD) await this.settle();
  }

  /** Looks again at all of them, once the last one has stood for the settling time. */
  async settle(): Promise<void> {
    if (this.held.length === 0) return;
    const wait = this.settleMs - (performance.now() - this.lastAt);
    if (wait > 0) await pause(wait, undefined, { signal: this.signal });
    const items = this.held;
    this.held = [];
    for (let from = 0; from < items.length; from += AT_ONCE) {
      reportProgress(this.signal);
      await this.look(items.slice(from, from + AT_ONCE));
    }
  }
}
