/** Events at once, and per second, above which there is a burst: a user's agents together send a few per second. */
const BURST = 64;
const PER_SECOND = 200;
/** Maximum debt in tokens: a burst ends about a second after its last event, so that consecutive batches are one burst. */
const MOST_DEBT = 200;
/** Interval of the check for the end of a burst. */
const LOOK_MS = 250;

/**
 * Detects bursts of events with a token bucket: every event takes a token, and tokens are refilled over time. Calls `onChange` at the start
 * and the end of a burst.
 */
export class BurstDetector {
  private readonly onChange: (isBurst: boolean) => void;
  private tokens = BURST;
  private atMs = performance.now();
  private look: NodeJS.Timeout | null = null;

  constructor(onChange: (isBurst: boolean) => void = () => undefined) {
    this.onChange = onChange;
  }

  /** Events came. */
  count(events = 1): void {
    this.refill();
    this.tokens = Math.max(this.tokens - events, -MOST_DEBT);
    if (this.look !== null || !this.isBurst) return;
    this.onChange(true);
    this.look = setInterval(() => {
      if (!this.isBurst) this.stop();
    }, LOOK_MS);
  }

  get isBurst(): boolean {
    this.refill();
    return this.tokens < BURST / 2;
  }

  /** Stops detection; reports the end of a reported burst. */
  stop(): void {
    if (this.look === null) return;
    clearInterval(this.look);
    this.look = null;
    this.onChange(false);
  }

  private refill(): void {
    const now = performance.now();
    this.tokens = Math.min(this.tokens + ((now - this.atMs) / 1_000) * PER_SECOND, BURST);
    this.atMs = now;
  }
}
