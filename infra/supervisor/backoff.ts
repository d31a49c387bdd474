const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
/** A service that worked this long starts over with the shortest delay. */
const HEALTHY_AFTER_MS = 60_000;

/** Doubling delays between restarts of one service. Times are milliseconds of a clock that never goes back. */
export class Backoff {
  #failures = 0;
  #readySince: number | null = null;

  /** The service answered. */
  ready(nowMs: number): void {
    this.#readySince = nowMs;
  }

  /** The service ended or never got ready. Answers how long to wait before the next start. */
  failed(nowMs: number): number {
    if (this.#readySince !== null && nowMs - this.#readySince >= HEALTHY_AFTER_MS) this.#failures = 0;
    this.#readySince = null;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures += 1;
    return delayMs;
  }

  /** How often it failed in a row. */
  get failures(): number {
    return this.#failures;
  }
}
