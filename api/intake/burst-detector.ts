/** Events at once, and a second, beyond which there is a flood: a person's agents together send a few a second. */
const BURST = 64;
const PER_SECOND = 200;
/** What may be owed: about a second after the last of them it is over, so that it is one flood from batch to batch. */
const MOST_DEBT = 200;
/** How often the end of a flood is looked for. */
const LOOK_MS = 250;

/**
 * Sees a flood of events: a bucket that every event takes a token from, and that fills up again with time. Whoever is to know is told
 * when one begins and when it is over.
 */
export class BurstDetector {
  private readonly tell: (isBurst: boolean) => void;
  private tokens = BURST;
  private atMs = performance.now();
  private look: NodeJS.Timeout | null = null;

  constructor(tell: (isBurst: boolean) => void = () => undefined) {
    this.tell = tell;
  }

  /** Events came. */
  count(events = 1): void {
    this.refill();
    this.tokens = Math.max(this.tokens - events, -MOST_DEBT);
    if (this.look !== null || !this.isBurst) return;
    this.tell(true);
    this.look = setInterval(() => {
      if (!this.isBurst) this.stop();
    }, LOOK_MS);
  }

  get isBurst(): boolean {
    this.refill();
    return this.tokens < BURST / 2;
  }

  /** Looks no longer; a flood that was told of is told to be over. */
  stop(): void {
    if (this.look === null) return;
    clearInterval(this.look);
    this.look = null;
    this.tell(false);
  }

  private refill(): void {
    const now = performance.now();
    this.tokens = Math.min(this.tokens + ((now - this.atMs) / 1_000) * PER_SECOND, BURST);
    this.atMs = now;
  }
}
