const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** Uptime after which the delay resets. */
const HEALTHY_AFTER_MS = 60_000;

/** Doubling delays between restarts of a service. Times are milliseconds of a monotonic clock. */
export class Backoff {
  #failures = 0;
  #readySince: number | null = null;

  /** The service is ready. */
  ready(nowMs: number): void {
    this.#readySince = nowMs;
  }

  /** The service ended or was never ready. Returns the delay before the next start. */
  failed(nowMs: number): number {
    if (this.#readySince !== null && nowMs - this.#readySince >= HEALTHY_AFTER_MS) this.#failures = 0;
    this.#readySince = null;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    return delayMs;
  }

  /** Consecutive failures. */
  get failures(): number {
    return this.#failures;
  }
}
